// Holds reading back to so many bytes a second.
import type { Clock } from "../observe/clock.ts";

/** Waits until `bytes` more may have been read. */
export type Pace = (bytes: number) => Promise<void>;

/** Milliseconds of silence that are made up for; what was not read before that is lost. */
const longestCredit = 1_000;
/** Milliseconds. Less is not worth a timer. */
const shortestWait = 10;

/** A pace of `rate` bytes a second; without a rate it never waits. */
export function createPace(
  rate: number | undefined,
  clock: Pick<Clock, "elapsed" | "sleep">,
  signal?: AbortSignal,
): Pace {
  if (rate === undefined) return async () => {};
  let paidUntil = clock.elapsed();
  return async (bytes) => {
    const now = clock.elapsed();
    paidUntil = Math.max(paidUntil, now - longestCredit) + (bytes / rate) * 1_000;
    if (paidUntil - now >= shortestWait) await clock.sleep(paidUntil - now, signal);
  };
}
