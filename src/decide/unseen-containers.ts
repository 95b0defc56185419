// Containers that nobody tells of, although they may run from the images that are judged.
import type { RuntimeIdentity } from "../image/node-state.ts";

/**
 * What to say where the runtime does not tell every container: containerd's CRI lists only what was made through CRI, while its
 * images are those of everybody in the namespace, and it removes what such a container runs from without a word.
 */
export function unseenContainers({ kind, version }: RuntimeIdentity): readonly string[] {
  if (kind !== "cri" || !/^containerd\b/.test(version)) return [];
  return [
    "through CRI alone, containers that were not made through CRI (ctr, nerdctl) are not seen and their images count as unused: --runtime containerd sees them",
  ];
}
