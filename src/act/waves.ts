// What may be removed side by side, and what has to wait: an image goes after those that were built on it. Pure.
import { ancestorsOf, type Parents } from "../decide/parents.ts";
import type { ImageVerdict } from "../decide/plan.ts";

/**
 * The verdicts in groups, each to be carried out when the one before is done. An engine that keeps parents refuses to remove one
 * while its children are there, or leaves it nameless. Without parents among them there is one group, in the order given.
 */
export function inWaves(work: readonly ImageVerdict[], parents: Parents): readonly (readonly ImageVerdict[])[] {
  if (parents.size === 0) return [work];
  const present = new Set(work.map(({ image }) => image.target));
  const ancestors = new Map(
    work.map(({ image }) => [image.target, ancestorsOf(image.target, parents).filter((target) => present.has(target))]),
  );
  // Whoever has more ancestors among the images that go is further down, and goes sooner.
  const byDepth = Map.groupBy(work, ({ image }) => ancestors.get(image.target)?.length ?? 0);
  return [...byDepth].sort(([left], [right]) => right - left).map(([, wave]) => wave);
}
