// What prunelet remembers of a node between rounds: when it saw things first, and when it last saw them used.
import type { Digest } from "../image/digest.ts";
import type { Instant, NodeState } from "../image/node-state.ts";

/** When something was seen first, and when it was last seen used (never before its first sight). */
export interface Sighting {
  readonly firstSeen: Instant;
  readonly lastUsed: Instant;
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
}

/** A history without any sighting. */
export function emptyHistory(unknown: History["unknown"]): History {
  return { namespaces: new Map(), unknown };
}

/** What is in use in one namespace at one moment. */
export interface CurrentUses {
  readonly images: ReadonlySet<Digest>;
  readonly names: ReadonlySet<string>;
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
      names.set(name, sight(before?.names.get(name), used?.names.has(name) ?? false, now));
      if (!images.has(target))
        images.set(target, sight(before?.images.get(target), used?.images.has(target) ?? false, now));
    }
    namespaces.set(namespace.name, { images, names });
  }
  return { ...history, namespaces };
}

function sight(before: Sighting | undefined, used: boolean, now: Instant): Sighting {
  if (before === undefined) return { firstSeen: now, lastUsed: now };
  return used ? { firstSeen: before.firstSeen, lastUsed: now } : before;
}
