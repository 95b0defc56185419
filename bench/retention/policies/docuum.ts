// docuum: least recently used, from a state file that survives restarts, whenever a new image appears and the images are over a threshold.
import type { HeldImage } from "../node.ts";
import type { RetentionPolicy } from "./caretaker.ts";

/** Images may take this share of the disk. With the tenth that is no image, the whole is at prunelet's high watermark. */
const threshold = 0.7;

/** It measures what Docker's images take after each deletion, every layer once. It knows no smallest age. */
export const docuum: RetentionPolicy = {
  name: "docuum LRU, 70 % for images",
  start: ({ node }) => ({
    every: Number.POSITIVE_INFINITY,
    pulled() {
      const limit = node.disk.capacity * threshold + node.disk.other;
      if (node.used <= limit) return;
      for (const { image } of leastRecentlyUsed(node.images.values())) {
        if (node.used <= limit) return;
        node.remove(image);
      }
    },
  }),
};

function leastRecentlyUsed(images: Iterable<HeldImage>): readonly HeldImage[] {
  return [...images].filter(({ users }) => users === 0).sort((a, b) => a.lastUsed - b.lastUsed);
}
