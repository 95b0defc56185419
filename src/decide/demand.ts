// What must be freed now. The loop measures the filesystem and computes it; decide chooses the images.

/**
 * - `routine`: what the policy lets go, no more and no less;
 * - `pressure`: times since the last use do not count; images go in order until the demand is met;
 * - `emergency`: the minimum age and the newest tags of repositories do not count either, as far as they have to.
 *
 * Uses, pins, keep patterns, filters and what the runtime holds count always.
 */
export type DemandMode = "routine" | "pressure" | "emergency";

export interface Demand {
  readonly mode: DemandMode;
  /** Bytes to free, as predicted. */
  readonly bytes: number;
  /** Inodes to free, as estimated. */
  readonly inodes: number;
  /** One phrase for people: which filesystem, how full. */
  readonly because: string;
}

/** Modes in the order in which they ignore more and more. */
export const demandModes = ["routine", "pressure", "emergency"] as const satisfies readonly DemandMode[];

/** Rules that do not count from a mode on. */
const ignoredFrom = {
  "recently-used": 1,
  "too-young": 2,
  "newest-of-repository": 2,
} as const;

/** True when a rule does not count in this mode. */
export function ignores(mode: DemandMode, rule: keyof typeof ignoredFrom): boolean {
  return demandModes.indexOf(mode) >= ignoredFrom[rule];
}
