// What the last observation of a namespace knew of its images, kept small: enough to tell which image a container runs.
import type { Digest } from "../../image/digest.ts";
import type { ImageName } from "../../image/node-state.ts";
import type { ImageResolver } from "./containers.ts";
import type { ImageDraft } from "./images.ts";

/** Indexes the names and topmost layers of a namespace. */
export function knownImages(names: readonly ImageName[], drafts: readonly ImageDraft[]): ImageResolver {
  const byName = new Map(names.map((name) => [name.name, name.target]));
  const byChain = new Map<string, Digest[]>();
  for (const { tops, target } of drafts) {
    for (const top of tops) {
      const targets = byChain.get(top);
      if (targets) targets.push(target);
      else byChain.set(top, [target]);
    }
  }
  return {
    targetOfName: (name) => byName.get(name),
    targetsOfChain: (chainId) => byChain.get(chainId) ?? [],
  };
}
