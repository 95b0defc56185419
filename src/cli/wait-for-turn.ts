// Agents that start together, after an upgrade of the fleet, do not ask the API server together.
import type { Clock } from "../observe/clock.ts";

export interface Turn {
  readonly clock: Clock;
  /** False: nobody is asked, so nobody has to wait. */
  readonly usesKubernetes: boolean;
  /** Milliseconds over which the agents of a fleet spread. */
  readonly startJitter: number;
  readonly signal: AbortSignal;
}

/** Waits for a random part of the jitter, or until the signal fires. */
export async function waitForTurn({ clock, usesKubernetes, startJitter, signal }: Turn): Promise<void> {
  if (usesKubernetes && startJitter > 0) await clock.sleep(clock.random() * startJitter, signal);
}
