// The one source of time, sleep and chance: injected everywhere, so that tests decide what time it is.

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since some moment, however often the clock is set. Durations are measured by it. */
  elapsed(): number;
  /** Resolves after `milliseconds`, or as soon as `signal` fires. Never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 up to 1. */
  random(): number;
}

/** Beyond it a timer would be over at once. Those who wait that long do so in a loop that looks at the clock again. */
const longestTimer = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  random: Math.random,
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      // A moment may pass while it is reckoned how far away it is, and Node.js writes a warning to stderr for less than nothing.
      const timer = setTimeout(done, Math.min(Math.max(milliseconds, 0), longestTimer));
      signal?.addEventListener("abort", done, { once: true });
    }),
};
