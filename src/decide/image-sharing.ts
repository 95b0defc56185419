// With whom an image shares content, and how many bytes. Pure.
import type { Digest } from "../image/digest.ts";
import type { Image, NodeState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";

/** Another image that needs some of the same content. */
export interface Sharing {
  readonly namespace: string;
  readonly image: Image;
  /** Bytes that both need. */
  readonly bytes: number;
}

/**
 * The other images that share content with this one, the one that shares most first. Blobs are shared across namespaces,
 * layer snapshots within one only.
 */
export function sharingOf(state: Pick<NodeState, "namespaces">, namespace: string, image: Image): readonly Sharing[] {
  const blobs = new Set<Digest>(image.blobs.map(({ digest }) => digest));
  const snapshots = new Set(image.snapshots.map(({ key }) => key));
  const sharing = state.namespaces.flatMap(({ name, images }) =>
    images.flatMap((other): Sharing[] => {
      if (name === namespace && other.target === image.target) return [];
      const common = [
        ...other.blobs.filter(({ digest }) => blobs.has(digest)),
        ...(name === namespace ? other.snapshots.filter(({ key }) => snapshots.has(key)) : []),
      ];
      const bytes = common.reduce((sum, { size }) => sum + size, 0);
      return common.length === 0 ? [] : [{ namespace: name, image: other, bytes }];
    }),
  );
  return sharing.sort((a, b) => b.bytes - a.bytes || compareBytes(a.image.target, b.image.target));
}
