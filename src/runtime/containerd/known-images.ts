// What the last look at a namespace knew of its images: enough to tell which image a container runs.
import type { Digest } from "../../image/digest.ts";
import type { ImageResolver } from "./containers.ts";
import type { ImageDraft } from "./image-draft.ts";
import type { NameTable } from "./read-inventory.ts";

/** Looks the names and topmost layers of a namespace up. */
export function knownImages(names: NameTable, drafts: readonly ImageDraft[]): ImageResolver {
  const byChain = new Map<string, Digest[]>();
  for (const { tops, target } of drafts) {
    for (const top of tops) {
      const targets = byChain.get(top);
      if (targets) targets.push(target);
      else byChain.set(top, [target]);
    }
  }
  return {
    targetOfName: (name) => names.byName.get(name)?.target,
    targetsOfChain: (chainId) => byChain.get(chainId) ?? [],
  };
}
