// Limits on how much one plan removes: filters over what was chosen.

/** `max-removals` and `max-fraction` cut a plan; `backoff` says that images wait because their removal failed. */
export type BrakeCode = "max-removals" | "max-fraction" | "backoff";

/** A limit that acted. */
export interface Brake {
  readonly code: BrakeCode;
  /** One line for people: the limit and what it held back. */
  readonly detail: string;
  /** Images that stay because of it. */
  readonly images: number;
}
