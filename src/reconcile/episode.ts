// An episode of pressure: rounds with a demand, one after the other, until there is space or nothing is left to remove.
import type { Demand } from "../decide/demand.ts";
import { holdingOf } from "../decide/holding.ts";
import type { Clock } from "../observe/clock.ts";
import type { ReportSink, Trigger } from "../report/event.ts";
import type { DiskLook } from "./disk-watch.ts";
import type { RoundResult } from "./round.ts";

export interface EpisodeInput {
  /** The look that began it. */
  readonly first: DiskLook & { readonly demand: Demand };
  readonly trigger: Trigger;
  /** Looks again: down to the low mark (`begun`), or whether the high mark is exceeded. */
  readonly look: (begun: boolean) => Promise<DiskLook | undefined>;
  readonly round: (demand: Demand, trigger: Trigger) => Promise<RoundResult>;
  /** False: no further round may begin. */
  readonly mayGoOn: () => boolean;
  /** True: something more urgent has ended the last round before its time. */
  readonly wasOvertaken: () => boolean;
  readonly clock: Clock;
  readonly report: ReportSink;
  readonly signal: AbortSignal;
}

export interface EpisodeResult {
  /** What the last round gave. */
  readonly last: RoundResult;
  /** The filesystem as it was left, when the high mark is still exceeded. */
  readonly unrelieved: DiskLook | undefined;
}

/** Frees space. The first round follows the demand of the first look, each further one what is then still missing. */
export async function relieve(input: EpisodeInput): Promise<EpisodeResult> {
  let { demand, filesystem } = input.first;
  for (let trigger = input.trigger; ; trigger = "pressure") {
    const last = await input.round(demand, trigger);
    if (last.kind !== "done") return { last, unrelieved: undefined };
    const after = await lookWhenSettled({ ...input, before: filesystem, last });
    if (after === undefined) return { last, unrelieved: undefined };
    if (after.demand === undefined) return await close(input, last, after);
    // Who was told to stop has not tried everything, and so cannot tell that nothing is left to remove.
    if (!input.mayGoOn()) return { last, unrelieved: undefined };
    if (isOver(last) && !input.wasOvertaken()) return await close(input, last, after);
    [demand, filesystem] = [after.demand, after.filesystem];
  }
}

type DoneRound = Extract<RoundResult, { kind: "done" }>;

/** Nothing was removed, so nothing would be the next time; or a limit on removals holds, which rounds in a row must not get around. */
function isOver({ outcome, plan }: DoneRound): boolean {
  if (plan.brakes.some(({ code }) => code !== "backoff")) return true;
  return outcome.collectFailure !== undefined || outcome.names.every(({ result }) => result.kind !== "removed");
}

async function close(input: EpisodeInput, last: DoneRound, after: DiskLook): Promise<EpisodeResult> {
  const missing = { bytes: after.demand?.bytes ?? 0, inodes: after.demand?.inodes ?? 0 };
  const still = after.demand === undefined ? undefined : await input.look(false);
  const above = still?.demand;
  const { filesystem } = after;
  input.report({
    kind: "pressure",
    level: above?.mode === "emergency" || input.first.demand.mode === "emergency" ? "emergency" : "pressure",
    result: above === undefined ? "relieved" : "unrelieved",
    filesystem,
    missing,
    holding: holdingOf(last.plan, filesystem.usedBytes),
    because: (above ?? input.first.demand).because,
  });
  return { last, unrelieved: above === undefined ? undefined : still };
}

/** Runtimes free space a moment after they say so: milliseconds to wait for it, and between two looks meanwhile. */
const settling = { most: 5_000, step: 250 };
/** The part of the expected bytes that has to be there; others write to the filesystem as well. */
const enough = 0.9;

interface Settling extends Pick<EpisodeInput, "look" | "clock" | "signal"> {
  readonly before: { readonly usedBytes: number };
  readonly last: DoneRound;
}

async function lookWhenSettled({ look, clock, signal, before, last }: Settling): Promise<DiskLook | undefined> {
  const until = clock.elapsed() + settling.most;
  const expected = before.usedBytes - last.outcome.reclaimedBytes * enough;
  for (;;) {
    const now = await look(true);
    const settled = now?.demand === undefined || now.filesystem.usedBytes <= expected;
    if (settled || signal.aborted || clock.elapsed() >= until) return now;
    await clock.sleep(settling.step, signal);
  }
}
