// How long to wait before the next attempt: exponential growth with full jitter, so that nodes do not return in step.

/** Milliseconds. */
export interface BackoffLimits {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly capMs: number;
}

/** One second at first, never more than half a minute. */
export const defaultBackoff: BackoffLimits = { baseMs: 1_000, capMs: 30_000 };

/** An API server that asks for more patience than this gets no more, in milliseconds. */
export const longestRetryAfterMs = 60_000;

/**
 * Milliseconds to wait after `failures` failures in a row (1 or more): anything from 0 to the bound of that failure.
 * `random` is a number from 0 (included) to 1 (excluded).
 */
export function backoffDelay(failures: number, random: number, limits: BackoffLimits = defaultBackoff): number {
  // Past 2^30 the bound is the cap anyway; without the limit the power would overflow to Infinity, and Infinity * 0 is NaN.
  const doublings = Math.min(Math.max(failures - 1, 0), 30);
  return Math.floor(random * Math.min(limits.capMs, limits.baseMs * 2 ** doublings));
}
