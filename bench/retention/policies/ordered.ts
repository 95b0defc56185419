// A short model of pressure rounds, to try orders and marks before they become strategies of prunelet. The clairvoyant aside, nothing is exact.
import type { Instant } from "../../../src/image/node-state.ts";
import type { HeldImage, Node } from "../node.ts";
import { minutes, seconds } from "../units.ts";
import type { RetentionPolicy } from "./caretaker.ts";

/** What goes first: the image with the smallest score. */
export type Score = (held: HeldImage, context: { readonly now: Instant; readonly node: Node }) => number;

export interface OrderedSettings {
  readonly high: number;
  readonly low: number;
  readonly minAge?: number;
}

export function ordered(name: string, score: Score, { high, low, minAge = minutes(10) }: OrderedSettings): RetentionPolicy {
  return {
    name,
    start: ({ node }) => ({
      every: seconds(30),
      look(now) {
        if (node.fill <= high) return;
        while (node.fill > low) {
          const victim = smallest(node, (held) => {
            const may = held.users === 0 && now - held.pulledAt >= minAge && node.gain(held.image) > 0;
            return may ? score(held, { now, node }) : undefined;
          });
          if (victim === undefined) return;
          node.remove(victim.image);
        }
      },
    }),
  };
}

function smallest(node: Node, scoreOf: (held: HeldImage) => number | undefined): HeldImage | undefined {
  let found: HeldImage | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const held of node.images.values()) {
    const score = scoreOf(held);
    if (score === undefined || score >= least) continue;
    found = held;
    least = score;
  }
  return found;
}
