// How long what was begun may still take once a stop is asked for.
import type { Clock } from "../observe/clock.ts";

/** Milliseconds for removals in progress and the collection after them. The chart's grace period has room for it. */
const stopGrace = 20_000;

export interface Grace {
  /** For calls that go on when `signal` fires, but not for long. */
  readonly signal: AbortSignal;
  /** Stops the waiting: nothing is going on any more. */
  readonly end: () => void;
}

/** The time after `signal` has fired. */
export function graceAfter(signal: AbortSignal | undefined, clock: Clock): Grace {
  const late = new AbortController();
  const ended = new AbortController();
  const arm = async (): Promise<void> => {
    await clock.sleep(stopGrace, ended.signal);
    late.abort();
  };
  if (signal?.aborted) void arm();
  else signal?.addEventListener("abort", arm, { once: true, signal: ended.signal });
  return { signal: late.signal, end: () => ended.abort() };
}
