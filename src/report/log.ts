// The log sink: static messages with fields. JSON on stderr, readable lines when stderr is a terminal.
import { type Logger, pino } from "pino";
import type { NameOutcome } from "../act/outcome.ts";
import type { ReferenceOutcome, RemovalOutcome } from "../act/remove-outcome.ts";
import { takeInventory } from "../decide/inventory.ts";
import type { Plan } from "../decide/plan.ts";
import { formatBytes, formatEstimate } from "./bytes.ts";
import { type PressureReport, type ReportEvent, type ReportSink, succeeded } from "./event.ts";
import { describeHolding } from "./holding-text.ts";
import { readableMessage } from "./log-text.ts";
import { PlannedImages } from "./planned-images.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "text";
}

/** Characters of lines that could not be written yet; what comes on top of them is lost. */
const mostWaiting = 1024 * 1024;

/** A logger that writes to stderr at once, so that nothing is lost when the process ends. */
export async function createLogger({ level, format }: LogOptions): Promise<Logger> {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") return pino({ ...base, formatters: { level: (label) => ({ level: label }) } }, openStderr());
  const { default: pretty } = await import("pino-pretty");
  const colorize = process.env["NO_COLOR"] === undefined && process.stderr.isTTY === true;
  const readable = { messageFormat: readableMessage, hideObject: true, ignore: "name" };
  return pino(base, pretty({ destination: openStderr(), colorize, translateTime: "SYS:HH:MM:ss", ...readable }));
}

/** A reader that does not read is waited for this often, a tenth of a second each time. */
const mostPatience = 10;

/**
 * Stderr, at once. A line that cannot be written waits until there is room or is lost, and nothing else happens: a log on a full
 * disk must not end the removal that makes room, and a reader that stopped reading must stop neither the rounds nor their end. Such
 * a reader is the runtime itself, which takes the output of the agent's own container, as long as it hangs.
 */
function openStderr() {
  let waited = 0;
  const retryEAGAIN = (): boolean => {
    waited += 1;
    return waited <= mostPatience;
  };
  const destination = pino.destination({ dest: 2, sync: true, maxLength: mostWaiting, retryEAGAIN });
  destination.on("error", () => undefined);
  destination.on("write", (bytes) => {
    if (bytes > 0) waited = 0;
  });
  return destination;
}

/** Writes one info line a round, one debug line a verdict, and a warning for whatever an operator should see. */
export function logSink(log: Logger): ReportSink {
  const known = new PlannedImages();
  return (event) => {
    known.follow(event);
    write(log, event, known);
  };
}

function write(log: Logger, event: ReportEvent, known: PlannedImages): void {
  switch (event.kind) {
    case "planned":
      logBrakes(log, event);
      logPlan(log, event.plan);
      return;
    case "filesystem-seen":
      log.trace({ filesystem: event.filesystem, demand: event.demand }, "filesystem seen");
      return;
    case "filesystem-unseen":
      log.warn({ cause: event.message }, "disk pressure is not handled, routine rounds go on");
      return;
    case "pressure":
      logPressure(log, event);
      return;
    case "name-done":
      logName(log, event.outcome, known);
      return;
    case "round-done":
      logRound(log, event, known);
      return;
    case "reference-done":
      logReference(log, event.outcome);
      return;
    case "references-done":
      logReferences(log, event.outcome);
      return;
    case "round-skipped":
      log[event.reason === "disabled" ? "info" : "warn"](
        { reason: event.reason, cause: event.message },
        "round skipped, nothing removed",
      );
      return;
    case "round-failed":
      log.error({ cause: event.message }, "round failed");
      return;
    case "pods-synced":
      if (event.synced) log.info(event.message);
      else log.warn({ cause: event.message }, "pods of this node are not known, nothing is removed");
      return;
    case "config-reloaded":
      if (event.result === "loaded") log.info({ change: event.message }, "configuration loaded");
      else log.error({ cause: event.message }, "configuration refused, the one before holds on");
      return;
    case "runtime-call":
      log.trace({ call: event.call, seconds: event.seconds }, "runtime call");
      return;
    case "audit-failed":
      // Said once: a full disk would otherwise fill the log, too.
      log[event.first ? "warn" : "debug"]({ cause: event.message }, "audit not written, removals go on");
      return;
    case "audit-mended":
      log[event.lost > 0 ? "warn" : "info"]({ lostLines: event.lost }, "audit written again");
      return;
    case "audit-resolved":
      log.info({ names: event.names, gone: event.gone }, "removals that were cut short are settled in the audit");
      return;
    case "notice":
      log[event.level](event.message);
      return;
  }
}

function logPlan(log: Logger, plan: Plan): void {
  for (const warning of plan.warnings) log.warn(warning);
  if (!log.isLevelEnabled("debug")) return;
  for (const { namespace, action, image, names, reasons } of plan.images) {
    const fields = {
      namespace,
      image: image.id,
      names: names.map((name) => name.name),
      reasons: reasons.map((r) => r.code),
    };
    log.debug(fields, action === "keep" ? "keep image" : "delete image");
  }
}

function logBrakes(log: Logger, { plan, withheld, trigger }: Extract<ReportEvent, { kind: "planned" }>): void {
  const { demand } = plan;
  if (demand !== undefined && demand.mode !== "routine") {
    const { mode, bytes, inodes, because } = demand;
    log.info({ mode, bytes, inodes, because, trigger }, "space is needed");
  }
  for (const { code, detail } of plan.brakes) log.warn({ code, cause: detail }, "removals held back");
  if (withheld !== undefined) log.info({ code: withheld.code, cause: withheld.detail }, "removals held back");
}

function logPressure(log: Logger, { result, filesystem, missing, holding, level, because }: PressureReport): void {
  const { path, usedBytes, capacityBytes } = filesystem;
  const fields = { path, mode: level, because, usedBytes, capacityBytes, missing, holding };
  if (result === "relieved") log.info({ ...fields, holds: describeHolding(holding) }, "pressure relieved");
  else log.warn({ ...fields, holds: describeHolding(holding) }, "pressure could not be relieved");
}

function logName(log: Logger, { namespace, name, target, reason, result }: NameOutcome, known: PlannedImages): void {
  switch (result.kind) {
    case "removed":
      if (!log.isLevelEnabled("info")) return;
      log.info({ ...known.about(namespace, target), name, namespace, target, reason }, "untagged");
      return;
    case "failed":
      log.error({ name, namespace, reason: result.reason, cause: result.message }, "removal failed");
      return;
    case "in-use":
    case "skipped":
      log.info({ name, namespace, result: result.kind, cause: result.message }, "name left alone");
      return;
    case "already-gone":
    case "moved":
      log.info({ name, namespace, result: result.kind }, "name left alone");
      return;
  }
}

function logRound(
  log: Logger,
  { plan, outcome, seconds }: Extract<ReportEvent, { kind: "round-done" }>,
  known: PlannedImages,
): void {
  const deleted = log.isLevelEnabled("info") ? outcome.deleted : [];
  for (const { id, namespace, target, reason } of deleted) {
    log.info({ ...known.about(namespace, target), image: id, namespace, reason }, "deleted");
  }
  const untagged = outcome.names.filter(({ result }) => result.kind === "removed").length;
  const failed = outcome.names.filter(({ result }) => result.kind === "failed").length;
  const fields = {
    untagged,
    deleted: outcome.deleted.length,
    failed,
    images: takeInventory(plan).images,
    planned: formatEstimate(plan.plannedBytes, plan.approximate),
    reclaimed: formatBytes(outcome.reclaimedBytes),
    plannedBytes: plan.plannedBytes,
    reclaimedBytes: outcome.reclaimedBytes,
    durationMs: Math.round(seconds * 1000),
  };
  if (outcome.collectFailure !== undefined) log.error({ cause: outcome.collectFailure.message }, "collection failed");
  if (succeeded(outcome)) log.info(fields, "round done");
  else log.error(fields, "round partly failed");
}

/** At level info throughout: the person who asked is told on stderr, and one line is enough there. */
function logReference(log: Logger, { reference, namespace, names, emptied, error }: ReferenceOutcome): void {
  for (const { name, target } of names) log.info({ name, namespace, target, reason: "requested" }, "untagged");
  for (const { id, target, digests } of emptied) {
    log.info({ image: id, namespace, target, digests, reason: "requested" }, "deleted");
  }
  if (error !== undefined) log.info({ reference, reason: error.reason, cause: error.message }, "removal failed");
}

function logReferences(log: Logger, { references, reclaimedBytes, collectFailure }: RemovalOutcome): void {
  if (collectFailure !== undefined) log.info({ cause: collectFailure.message }, "collection failed");
  const failed = references.filter(({ error }) => error !== undefined).length;
  log.info({ references: references.length, failed, reclaimedBytes }, "removal done");
}
