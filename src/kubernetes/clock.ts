// Time and chance, injected: the watch asks only this object what time it is, to be woken, and for a random number.
import type { Instant } from "../image/node-state.ts";

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): Instant;
  /** Milliseconds since some moment, however often the clock is set. May stand still while the machine sleeps. */
  elapsed(): number;
  /** Calls back once after `milliseconds`; the returned function cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
  /** A random number, 0 included and 1 excluded. */
  random(): number;
}

/** Beyond it a timer would be over at once. Whoever waits longer asks what time it is when called back, and waits again. */
const longestTimer = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(milliseconds, longestTimer));
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
