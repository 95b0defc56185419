// The sink for Kubernetes events: which reports are worth one, deduplicated and limited, so that nobody is flooded.
import type { Outcome } from "../act/outcome.ts";
import { formatBytes } from "./bytes.ts";
import type { PressureReport, ReportEvent, ReportSink } from "./event.ts";
import { describeHolding } from "./holding-text.ts";

/** What the node's events should say. */
export interface NodeEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** What makes two events of a reason the same, where messages hold numbers that change. Default: the message. */
  readonly same?: string;
}

/** A node event as it should stand in the cluster. */
export interface CountedEvent extends Omit<NodeEvent, "same"> {
  /** The same for an event that happens again. */
  readonly name: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface EventSinkInput {
  readonly nodeName: string;
  readonly now: () => number;
  /** Asked for every event: it may change while the agent runs. */
  readonly limits: () => { readonly enabled: boolean; readonly maxPerHour: number };
  /** Must not throw. */
  readonly write: (event: CountedEvent) => void;
}

const hour = 3_600_000;
/** The same event is written at most this often, in milliseconds; what happens meanwhile is counted. */
const quiet = 600_000;
/** The API server refuses longer ones. */
const longestMessage = 1_000;

interface Series {
  readonly name: string;
  readonly firstAt: number;
  count: number;
  writtenAt: number | undefined;
}

/** Makes the sink. */
export function eventSink({ nodeName, now, limits, write }: EventSinkInput): ReportSink {
  const series = new Map<string, Series>();
  let writes: readonly number[] = [];
  let disabled = false;
  const offer = ({ same, ...event }: NodeEvent): void => {
    const at = now();
    const { enabled, maxPerHour } = limits();
    forgetOld(series, at);
    const key = JSON.stringify([event.reason, same ?? event.message]);
    const one = series.get(key) ?? { name: eventName(nodeName, at, key), firstAt: at, count: 0, writtenAt: undefined };
    series.set(key, one);
    one.count += 1;
    writes = writes.filter((time) => Math.abs(at - time) < hour);
    const early = one.writtenAt !== undefined && Math.abs(at - one.writtenAt) < quiet;
    if (!enabled || early || writes.length >= maxPerHour) return;
    one.writtenAt = at;
    writes = [...writes, at];
    const message = event.message.slice(0, longestMessage);
    write({ ...event, message, name: one.name, count: one.count, firstAt: one.firstAt, lastAt: at });
  };
  return (event) => {
    if (event.kind === "round-skipped" && event.reason === "disabled") {
      // Told once: a node that is left alone is left alone in every round.
      if (!disabled) offer({ type: "Normal", reason: "RoundSkipped", message: event.message });
      disabled = true;
      return;
    }
    if (event.kind === "planned") disabled = false;
    for (const one of toNodeEvents(event)) offer(one);
  };
}

/** The node events that a report is worth: most are worth none. */
export function toNodeEvents(event: ReportEvent): readonly NodeEvent[] {
  switch (event.kind) {
    case "round-done":
      return ofRound(event.outcome);
    case "round-skipped": {
      const message = `nothing is removed: ${event.message}`;
      return [{ type: "Warning", reason: "RoundSkipped", message, same: withoutTimes(message) }];
    }
    case "round-failed":
      return [{ type: "Warning", reason: "RoundFailed", message: event.message, same: withoutTimes(event.message) }];
    case "pressure":
      return event.result === "relieved" ? [] : [ofPressure(event)];
    case "filesystem-unseen":
      return [{ type: "Warning", reason: "DiskNotVisible", message: `disk pressure is not handled: ${event.message}` }];
    case "config-reloaded":
      return event.result === "refused"
        ? [{ type: "Warning", reason: "ConfigurationRefused", message: event.message }]
        : [{ type: "Normal", reason: "ConfigurationLoaded", message: event.message }];
    default:
      return [];
  }
}

function ofPressure({ because, holding, filesystem, level }: PressureReport): NodeEvent {
  const message = `${because}, and nothing is left to remove: the space is held by ${describeHolding(holding)}`;
  return { type: "Warning", reason: "PressureNotRelieved", message, same: `${level} ${filesystem.path}` };
}

function ofRound({ names, deleted, reclaimedBytes, collectFailure }: Outcome): NodeEvent[] {
  const untagged = names.filter(({ result }) => result.kind === "removed").length;
  const failures = names.flatMap(({ result }) => (result.kind === "failed" ? [result.reason] : []));
  if (collectFailure !== undefined) failures.push(collectFailure.reason);
  const events: NodeEvent[] = [];
  if (untagged > 0) {
    const message = `removed ${some(deleted.length, "image")} and ${some(untagged, "name")}, ${formatBytes(reclaimedBytes)} freed`;
    events.push({ type: "Normal", reason: "ImagesRemoved", message });
  }
  if (failures.length > 0) {
    const why = [...new Set(failures)].sort().join(", ");
    const message = `${some(failures.length, "removal")} failed (${why}); the next round tries again`;
    events.push({ type: "Warning", reason: "RemovalsFailed", message, same: why });
  }
  return events;
}

/** What stays of a message when the seconds in it have gone on. */
function withoutTimes(message: string): string {
  return message.replaceAll(/\d+ m?s\b/g, "some time");
}

function some(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** After an hour the API server has forgotten an event, so the next one is a new one. */
function forgetOld(series: Map<string, Series>, now: number): void {
  for (const [key, { firstAt }] of series) if (now - firstAt >= hour) series.delete(key);
}

/** Node, time and cause: unique without asking anybody, also after a restart. */
function eventName(nodeName: string, at: number, key: string): string {
  let hash = 0;
  for (const char of key) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  return `${nodeName}.${at.toString(16)}${hash.toString(16).padStart(8, "0")}`;
}
