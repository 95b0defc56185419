// A short model of prunelet's pressure rounds, to try orders before they become strategies. With the same order it decides as the plan does.
import type { Instant } from "../../../src/image/node-state.ts";
import type { HeldImage, Node } from "../node.ts";
import { minutes, seconds } from "../units.ts";
import type { RetentionPolicy } from "./caretaker.ts";

export interface Candidate {
  readonly held: HeldImage;
  /** Milliseconds since the last use. */
  readonly idle: number;
  /** Bytes that removing it now would free. */
  readonly gain: number;
  /** True when the node holds newer tags of its repository, by their builds and by their pulls. */
  readonly superseded: boolean;
}

/** What goes first: the image with the highest score. */
export type Score = (candidate: Candidate) => number;

/** Shares of the disk. */
export interface Between {
  readonly high: number;
  readonly low: number;
}

/** As prunelet's default. */
const minAge = minutes(10);

export function ordered(name: string, score: Score, { high, low }: Between): RetentionPolicy {
  return {
    name,
    start: ({ node }) => ({
      every: seconds(30),
      look(now) {
        if (node.fill <= high) return;
        const newest = newestTags(node);
        while (node.fill > low) {
          const next = highest(node, score, { now, newest });
          if (next === undefined) return;
          node.remove(next.image);
        }
      },
    }),
  };
}

interface Round {
  readonly now: Instant;
  /** The newest tags when the round began. */
  readonly newest: ReadonlySet<HeldImage>;
}

function highest(node: Node, score: Score, { now, newest }: Round): HeldImage | undefined {
  let found: HeldImage | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const held of node.images.values()) {
    if (held.users > 0 || now - held.pulledAt < minAge) continue;
    const gain = node.gain(held.image);
    if (gain === 0) continue;
    const superseded = !newest.has(held);
    const value = score({ held, idle: now - held.lastUsed, gain, superseded });
    if (value <= most) continue;
    found = held;
    most = value;
  }
  return found;
}

/** The newest tags of each repository: the one that was built last, and the one that was pulled last. */
function newestTags(node: Node): ReadonlySet<HeldImage> {
  const built = new Map<string, HeldImage>();
  const pulled = new Map<string, HeldImage>();
  for (const held of node.images.values()) {
    const { repository, index } = held.image;
    // Tags of a repository are numbered as they are built, and the node lists images as they were pulled.
    if (index >= (built.get(repository)?.image.index ?? 0)) built.set(repository, held);
    pulled.set(repository, held);
  }
  return new Set([...built.values(), ...pulled.values()]);
}

/** Prunelet's default order. */
export const leastRecentlyUsed: Score = ({ idle }) => idle;

/** Tags that a newer one has replaced age four times as fast. */
export const supersededSooner: Score = ({ idle, superseded }) => (superseded ? 4 * idle : idle);

/** Many uses count for days without one: as least frequently used, with uses that lose half of their weight each day. */
export const rarelyUsedFirst: Score = ({ held, idle }) => idle / 86_400_000 - Math.log2(held.timesUsed);

/** Greedy by size: the image first that frees most bytes for each hour it was missed less. */
export const largeAndIdleFirst: Score = ({ idle, gain }) => idle * gain;

/** Images used at steady intervals stay until they are late: their next use is due. */
export const lateFirst: Score = ({ held: { lastUsed, pulledAt, timesUsed }, idle }) => {
  const interval = timesUsed > 1 ? (lastUsed - pulledAt) / (timesUsed - 1) : 0;
  return idle < 1.3 * interval ? Math.max(interval - idle, 0) : 2 * idle;
};
