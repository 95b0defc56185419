// What is remembered of an image as a whole: over itself and all its names.
import type { Instant } from "../image/node-state.ts";
import type { ImageIndex, IndexedImage } from "./image-index.ts";
import { assumedSight, type Memory, pulledAt, recordTime } from "./sightings.ts";

export interface ImageSight {
  readonly firstSeen: Instant;
  /** The last use of the image or any of its names; 0 when nothing is known. */
  readonly lastUsed: Instant;
  readonly timesUsed: number;
  /** The last pull; 0 when nothing is known. */
  readonly pulled: Instant;
}

/** Looks everything up that is remembered of the images of an index, in its order. What lies in the future counts as now. */
export function imageSights(index: ImageIndex, memory: Memory): readonly ImageSight[] {
  const { history, now, namespace } = memory;
  if (history.unknown === "just-used" || history.namespaces.has(namespace)) {
    return index.images.map((entry) => imageSight(entry, memory));
  }
  const recorded = recordedSights(index);
  return recorded.map((sight) => (sight.lastUsed > now ? notAfter(sight, now) : sight));
}

const recordedBefore = new WeakMap<ImageIndex, readonly ImageSight[]>();

/** What the records of names alone tell of each image: it can change no more than the names. */
function recordedSights(index: ImageIndex): readonly ImageSight[] {
  const before = recordedBefore.get(index);
  if (before !== undefined) return before;
  const sights = index.images.map(({ names }) => recordedSight(names.map((name) => recordTime(name) ?? 0)));
  recordedBefore.set(index, sights);
  return sights;
}

function recordedSight(times: readonly Instant[]): ImageSight {
  const latest = Math.max(0, ...times);
  return { firstSeen: Math.min(...times), lastUsed: latest, timesUsed: 0, pulled: latest };
}

function notAfter({ firstSeen, lastUsed, timesUsed, pulled }: ImageSight, now: Instant): ImageSight {
  return {
    firstSeen: Math.min(firstSeen, now),
    lastUsed: Math.min(lastUsed, now),
    timesUsed,
    pulled: Math.min(pulled, now),
  };
}

function imageSight({ image, names }: IndexedImage, { history, now, namespace }: Memory): ImageSight {
  const known = history.namespaces.get(namespace);
  const ofImage = known?.images.get(image.target);
  let firstSeen = now;
  let lastUsed = 0;
  let pulled = 0;
  for (const name of names) {
    const ofName = known?.names.get(name.name);
    const assumed = ofImage === undefined || ofName === undefined ? assumedSight(name, history, now) : 0;
    firstSeen = Math.min(firstSeen, ofImage?.firstSeen ?? assumed);
    lastUsed = Math.max(lastUsed, ofImage?.lastUsed ?? assumed, ofName?.lastUsed ?? assumed);
    pulled = Math.max(pulled, pulledAt(name, ofName?.firstSeen ?? assumed, now));
  }
  return notAfter({ firstSeen, lastUsed, timesUsed: ofImage?.timesUsed ?? 0, pulled }, now);
}
