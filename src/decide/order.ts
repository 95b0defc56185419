// Which image goes before which. The one place for strategies: a new one is an entry of `orders` and of `orderNames`.
import type { Instant } from "../image/node-state.ts";

/** What a strategy may look at. */
export interface Ranked {
  readonly firstSeen: Instant;
  readonly lastUsed: Instant;
  /** Milliseconds since the last use. */
  readonly idle: number;
  /** True when the node holds newer tags of every repository that the image has a tag of. False where the order does not ask. */
  readonly superseded: boolean;
  /** How often a use of the image began. */
  readonly timesUsed: number;
  /** Bytes that are freed when the image goes after all that went before it. Grows while others go. */
  readonly gain: number;
}

/** Negative: `left` goes first. Positive: `right` does. 0: the image with the smaller digest. */
export type Order = (left: Ranked, right: Ranked) => number;

/** The names of all strategies, for configuration. */
export const orderNames = ["least-recently-used", "superseded-sooner"] as const;

export type OrderName = (typeof orderNames)[number];

/** Every strategy by name. They have to be consistent (a total preorder), and must not look at anything else. */
export const orders: Readonly<Record<OrderName, Order>> = {
  "least-recently-used": (left, right) => left.lastUsed - right.lastUsed || right.gain - left.gain,
  "superseded-sooner": (left, right) => agedIdle(right) - agedIdle(left) || right.gain - left.gain,
};

/** The orders that ask whether an image is superseded: that takes a look at every name. */
export const ordersBySuccession: ReadonlySet<OrderName> = new Set(["superseded-sooner"]);

/** A tag that has been replaced is seldom asked for again, except soon, when a release is rolled back (docs/retention.md has the figures). */
const supersededAging = 4;

function agedIdle({ idle, superseded }: Ranked): number {
  return superseded ? supersededAging * idle : idle;
}
