// What prunelet remembers of a node between rounds: when it saw things first, and when it last saw them used.
import type { Digest } from "../image/digest.ts";
import type { Instant, NodeState } from "../image/node-state.ts";
import { atLook } from "./watched-time.ts";

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

/** Who uses something now. */
export interface Users {
  /** Namespaces of the pods among them, in byte order. */
  readonly namespaces: readonly string[];
  /** When the youngest container among them was made, where the runtime tells. */
  readonly since?: Instant;
}

/** What is in use in one namespace at one moment, and by whom. */
export interface CurrentUses {
  readonly images: ReadonlyMap<Digest, Users>;
  readonly names: ReadonlyMap<string, Users>;
}

/**
 * The history after a round: new things are first seen now, used things are last used now, things that are gone are forgotten.
 * What lies in the future, because the clock jumped back, counts as now. `maxGap`: see `atLook`.
 */
export function recordUses(
  history: History,
  state: NodeState,
  uses: ReadonlyMap<string, CurrentUses>,
  maxGap?: number,
): History {
  const known = atLook(history, state.takenAt, maxGap);
  const look: Look = { now: state.takenAt, last: history.lastLook };
  const namespaces = new Map([...known.namespaces].filter(([, namespace]) => !isLongGone(namespace, look.now)));
  for (const namespace of state.namespaces) {
    const before = known.namespaces.get(namespace.name);
    const used = uses.get(namespace.name);
    const images = new Map<Digest, Sighting>();
    const names = new Map<string, Sighting>();
    for (const { name, target } of namespace.names) {
      names.set(name, sight(before?.names.get(name), used?.names.get(name), look));
      if (!images.has(target)) images.set(target, sight(before?.images.get(target), used?.images.get(target), look));
    }
    namespaces.set(namespace.name, { images, names });
  }
  return { ...known, namespaces, lastLook: look.now };
}

/** Milliseconds for which a namespace that is not looked at any more is remembered. */
const longGone = 30 * 86_400_000;

/** Namespaces that are looked at are written anew anyway: this is about those that went, or were taken out of the configuration. */
function isLongGone({ images, names }: NamespaceHistory, now: Instant): boolean {
  const recent = ({ firstSeen, lastUsed }: Sighting) => now - Math.max(firstSeen, lastUsed) < longGone;
  return ![...images.values(), ...names.values()].some(recent);
}

interface Look {
  readonly now: Instant;
  readonly last: Instant | undefined;
}

function sight(before: Sighting | undefined, users: Users | undefined, look: Look): Sighting {
  const known = before === undefined ? firstSight(look.now) : notAfter(before, look.now);
  if (users === undefined) return known.inUse ? { ...known, inUse: false } : known;
  const { firstSeen, timesUsed } = known;
  const begun = timesUsed + (beganSince(known, users, look) ? 1 : 0);
  return { firstSeen, lastUsed: look.now, timesUsed: begun, usedBy: users.namespaces, inUse: true };
}

/** A use began when there was none at the last look, or when a container was made since. */
function beganSince({ inUse }: Sighting, { since }: Users, { last }: Look): boolean {
  return !inUse || (since !== undefined && last !== undefined && since > last);
}

function notAfter(seen: Sighting, now: Instant): Sighting {
  if (seen.lastUsed <= now && seen.firstSeen <= now) return seen;
  return { ...seen, firstSeen: Math.min(seen.firstSeen, now), lastUsed: Math.min(seen.lastUsed, now) };
}
