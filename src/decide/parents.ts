// Images that others were built on, also through images without a name. Pure.
import type { Digest } from "../image/digest.ts";
import type { NamespaceState } from "../image/node-state.ts";

/** The target of each image's parent, by its own target. */
export type Parents = ReadonlyMap<Digest, Digest>;

export function parentsIn(namespaces: readonly Pick<NamespaceState, "images">[]): Parents {
  const parents = new Map<Digest, Digest>();
  for (const { images } of namespaces) {
    for (const { target, parent } of images) if (parent !== undefined) parents.set(target, parent);
  }
  return parents;
}

/** The parent, its parent and so on. A circle ends where it began. */
export function ancestorsOf(target: Digest, parents: Parents): readonly Digest[] {
  const ancestors = new Set<Digest>();
  for (let at = parents.get(target); at !== undefined && !ancestors.has(at) && at !== target; at = parents.get(at)) {
    ancestors.add(at);
  }
  return [...ancestors];
}
