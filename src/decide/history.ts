// What prunelet remembers of a node between rounds: when it saw things first, and when it last saw them used.
import type { Digest } from "../image/digest.ts";
import type { Instant, NodeState } from "../image/node-state.ts";

/** When something was seen first, when it was last seen used (never before its first sight), how often and by whom. */
export interface Sighting {
  readonly firstSeen: Instant;
  readonly lastUsed: Instant;
  /** How often a use of it began, as far as looks at the node tell. */
  readonly timesUsed: number;
  /** Namespaces of the pods that used it last, in byte order. Empty when none did or nobody tells. */
  readonly usedBy: readonly string[];
  /** True when something used it at the last look. */
  readonly inUse: boolean;
}

/** What is assumed of something that is seen for the first time at `now`. */
export function firstSight(now: Instant): Sighting {
  return { firstSeen: now, lastUsed: now, timesUsed: 0, usedBy: [], inUse: false };
}

/** A stretch in which nobody looked, or the clock jumped: it does not count as time unused. */
export interface Gap {
  readonly from: Instant;
  readonly to: Instant;
}

/** Sightings of one namespace: of images by target, of names as stored. */
export interface NamespaceHistory {
  readonly images: ReadonlyMap<Digest, Sighting>;
  readonly names: ReadonlyMap<string, Sighting>;
}

export interface History {
  readonly namespaces: ReadonlyMap<string, NamespaceHistory>;
  /**
   * What to assume of something that was never seen before: `just-used` (a node that is watched from now on), or
   * `record-time` (a captured node without a history: the runtime's own record times are all there is).
   */
  readonly unknown: "just-used" | "record-time";
  /** When the node was last looked at; undefined when that is not known. */
  readonly lastLook?: Instant;
  /** Stretches that count as no time at all, oldest first. Default: none. */
  readonly gaps?: readonly Gap[];
}

/** A history without any sighting. */
export function emptyHistory(unknown: History["unknown"]): History {
  return { namespaces: new Map(), unknown };
}

/** Namespaces of the pods that use something now, in byte order. */
export type Users = readonly string[];

/** What is in use in one namespace at one moment, and by pods of which namespaces. */
export interface CurrentUses {
  readonly images: ReadonlyMap<Digest, Users>;
  readonly names: ReadonlyMap<string, Users>;
}

/** The history after a round: new things are first seen now, used things are last used now, things that are gone are forgotten. */
export function recordUses(history: History, state: NodeState, uses: ReadonlyMap<string, CurrentUses>): History {
  const now = state.takenAt;
  const namespaces = new Map(history.namespaces);
  for (const namespace of state.namespaces) {
    const before = history.namespaces.get(namespace.name);
    const used = uses.get(namespace.name);
    const images = new Map<Digest, Sighting>();
    const names = new Map<string, Sighting>();
    for (const { name, target } of namespace.names) {
      names.set(name, sight(before?.names.get(name), used?.names.get(name), now));
      if (!images.has(target)) images.set(target, sight(before?.images.get(target), used?.images.get(target), now));
    }
    namespaces.set(namespace.name, { images, names });
  }
  return { ...history, namespaces, lastLook: now };
}

function sight(before: Sighting | undefined, users: Users | undefined, now: Instant): Sighting {
  const known = before ?? firstSight(now);
  if (users === undefined) return known.inUse ? { ...known, inUse: false } : known;
  const timesUsed = known.inUse ? known.timesUsed : known.timesUsed + 1;
  return { firstSeen: known.firstSeen, lastUsed: now, timesUsed, usedBy: users, inUse: true };
}
