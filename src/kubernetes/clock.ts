// Time and chance, injected: the watch asks only this object what time it is, to be woken, and for a random number.
import type { Instant } from "../image/node-state.ts";

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): Instant;
  /** Calls back once after `milliseconds`; the returned function cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
  /** A random number, 0 included and 1 excluded. */
  random(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Resolves after `milliseconds`, or at once when `signal` fires. */
export function sleep(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      cancel();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = clock.after(milliseconds, wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}
