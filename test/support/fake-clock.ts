// A clock that stands still until a test moves it. Sleepers wake when their time has come or their signal fires.
import type { Clock } from "../../src/observe/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time on and wakes whoever slept long enough. A negative number sets the clock back, and nothing elapses. */
  advance(milliseconds: number): void;
  /** Milliseconds that each sleeper asked for, in the order of asking. */
  readonly sleeps: readonly number[];
  /** What `random` answers from now on. */
  setRandom(value: number): void;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

export function createFakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let time = start;
  let elapsed = 0;
  let chance = 0.5;
  const sleeps: number[] = [];
  const sleepers = new Set<Sleeper>();
  return {
    now: () => time,
    elapsed: () => elapsed,
    random: () => chance,
    sleeps,
    setRandom(value) {
      chance = value;
    },
    advance(milliseconds) {
      time += milliseconds;
      elapsed += Math.max(0, milliseconds);
      for (const sleeper of sleepers) if (sleeper.until <= time) sleeper.wake();
    },
    sleep(milliseconds, signal) {
      sleeps.push(milliseconds);
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const sleeper: Sleeper = {
          until: time + milliseconds,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      });
    },
  };
}
