// What is remembered of an image as a whole: over itself and all its names.
import type { Instant } from "../image/node-state.ts";
import type { IndexedImage } from "./image-index.ts";
import { lastUseOf, type Memory, pulledAt, sightingsOf } from "./sightings.ts";

export interface ImageSight {
  readonly firstSeen: Instant;
  /** The last use of the image or any of its names; 0 when nothing is known. */
  readonly lastUsed: Instant;
  /** Milliseconds since then. */
  readonly idle: number;
  readonly timesUsed: number;
  /** The last pull; 0 when nothing is known. */
  readonly pulled: Instant;
}

/** Looks everything up that is remembered of an image. What lies in the future counts as now. */
export function imageSight({ image, names }: IndexedImage, memory: Memory): ImageSight {
  const { now } = memory;
  let [firstSeen, lastUsed, timesUsed, pulled] = [now, 0, 0, 0];
  for (const name of names) {
    const seen = sightingsOf(image, name, memory);
    firstSeen = Math.min(firstSeen, seen.image.firstSeen);
    lastUsed = Math.max(lastUsed, lastUseOf(seen));
    timesUsed = seen.image.timesUsed;
    pulled = Math.max(pulled, pulledAt(name, seen.name, now));
  }
  lastUsed = Math.min(lastUsed, now);
  return { firstSeen, lastUsed, idle: now - lastUsed, timesUsed, pulled: Math.min(pulled, now) };
}
