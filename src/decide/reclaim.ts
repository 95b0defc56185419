// The bytes that a set of images really frees: what only they need. Shared content is counted when its last holder goes.
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import type { NamespacedImage } from "./listed-content.ts";
import { RemovedSet } from "./removed-set.ts";
import { type Holdings, SharedContent } from "./shared-content.ts";

/** Adds up what images hold, over all namespaces for blobs and per namespace for layer snapshots. */
export interface Reclaim {
  /** Bytes that removing this image alone would free. */
  alone(namespace: string, image: Image): number;
  /** Bytes that removing all of these images together frees. */
  together(images: readonly NamespacedImage[]): number;
}

/** Measures `images`, which are all that hold content beside what `holdings` says. An image that is none of them frees nothing. */
export function measureReclaim(holdings: Holdings, images: readonly NamespacedImage[]): Reclaim {
  const content = new SharedContent(holdings, images);
  const numbers = new Map<string, Map<Digest, number>>();
  images.forEach(({ namespace, image }, number) => {
    const known = numbers.get(namespace) ?? new Map<Digest, number>();
    numbers.set(namespace, known.set(image.target, number));
  });
  const numberOf = (namespace: string, image: Image): number => numbers.get(namespace)?.get(image.target) ?? -1;
  return {
    alone: (namespace, image) => content.alone(numberOf(namespace, image)),
    together: (removed) => {
      const gone = new RemovedSet(content);
      for (const { namespace, image } of removed) gone.add(numberOf(namespace, image));
      return gone.bytes;
    },
  };
}
