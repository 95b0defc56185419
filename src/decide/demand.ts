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
