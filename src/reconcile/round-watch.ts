// What ends a round before its time, after the removal in progress. A round with pauses between removals may take hours.
import type { Demand } from "../decide/demand.ts";
import type { Clock } from "../observe/clock.ts";
import type { LoopSettings } from "./controller.ts";
import type { DiskWatch } from "./disk-watch.ts";

export interface RoundWatchInput {
  /** Aborted when the round is to end. */
  readonly round: AbortController;
  /** What the round has to free; undefined for a routine one. */
  readonly demand: Demand | undefined;
  readonly disk: DiskWatch;
  readonly settings: () => LoopSettings;
  readonly clock: Clock;
}

export interface RoundWatch {
  /** To be called when the round has ended: tells whether something more urgent came up meanwhile. */
  end(): Promise<boolean>;
}

/** Watches a round from its beginning. One without pauses is over soon, and is left alone. */
export function watchRound(input: RoundWatchInput): RoundWatch {
  const { pauseMs = 0 } = input.settings();
  if (pauseMs === 0) return { end: async () => false };
  const ended = new AbortController();
  const overtaken = endWhenUrgent(input, ended.signal);
  const closed = endWithWindow(input, ended.signal);
  return {
    async end() {
      ended.abort();
      await closed;
      return await overtaken;
    },
  };
}

/** What becomes more urgent comes next. */
async function endWhenUrgent(input: RoundWatchInput, ended: AbortSignal): Promise<boolean> {
  const { round, demand, disk, settings, clock } = input;
  const { pressure } = settings();
  if (pressure === undefined || demand?.mode === "emergency") return false;
  const isUrgent = await disk.untilMoreUrgent(pressure, { demand, clock, ended });
  if (isUrgent) round.abort();
  return isUrgent;
}

/** Milliseconds between two looks at whether the window is still open. */
const windowCheck = 10_000;

/** What a closed window leaves over is removed when the next one is open. */
async function endWithWindow(input: RoundWatchInput, ended: AbortSignal): Promise<void> {
  const { round, demand, settings, clock } = input;
  const isClosed = (): boolean => settings().windowsAt?.(clock.now()).open === false;
  // A round that begins outside of all windows removes nothing anyway.
  if (demand !== undefined || settings().windowsAt === undefined || isClosed()) return;
  while (!ended.aborted && !isClosed()) await clock.sleep(windowCheck, ended);
  round.abort();
}
