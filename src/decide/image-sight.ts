// What is remembered of images as wholes: over themselves and all their names.
import type { Instant } from "../image/node-state.ts";
import type { ImageIndex, IndexedImage } from "./image-index.ts";
import { assumedSight, type Memory, pulledAt, recordTime } from "./sightings.ts";

/** By the numbers of images. Plain arrays: plans compare images with one another again and again. */
export class ImageSights {
  readonly firstSeen: Float64Array;
  /** The last use of the image or any of its names; 0 when nothing is known. */
  readonly lastUsed: Float64Array;
  readonly timesUsed: Float64Array;
  /** The last pull; 0 when nothing is known. */
  readonly pulled: Float64Array;

  constructor(count: number) {
    this.firstSeen = new Float64Array(count);
    this.lastUsed = new Float64Array(count);
    this.timesUsed = new Float64Array(count);
    this.pulled = new Float64Array(count);
  }

  /** Looks everything up that is remembered of the images of an index, which get numbers from `first` on. What lies in the future counts as now. */
  look(first: number, index: ImageIndex, memory: Memory): void {
    const { history, now, namespace } = memory;
    if (history.unknown === "just-used" || history.namespaces.has(namespace)) {
      index.images.forEach((entry, at) => {
        this.#put(first + at, imageSight(entry, memory), now);
      });
      return;
    }
    const recorded = recordedTimes(index);
    recorded.latest.forEach((latest, at) => {
      const firstSeen = recorded.earliest[at] ?? 0;
      this.#put(first + at, { firstSeen, lastUsed: latest, timesUsed: 0, pulled: latest }, now);
    });
  }

  #put(number: number, { firstSeen, lastUsed, timesUsed, pulled }: ImageSight, now: Instant): void {
    this.firstSeen[number] = Math.min(firstSeen, now);
    this.lastUsed[number] = Math.min(lastUsed, now);
    this.timesUsed[number] = timesUsed;
    this.pulled[number] = Math.min(pulled, now);
  }
}

interface ImageSight {
  readonly firstSeen: Instant;
  readonly lastUsed: Instant;
  readonly timesUsed: number;
  readonly pulled: Instant;
}

/** By the places of images in their index. */
interface RecordedTimes {
  readonly earliest: Float64Array;
  readonly latest: Float64Array;
}

const recordedBefore = new WeakMap<ImageIndex, RecordedTimes>();

/** What the records of names alone tell of each image: it can change no more than the names. */
function recordedTimes(index: ImageIndex): RecordedTimes {
  const before = recordedBefore.get(index);
  if (before !== undefined) return before;
  const times = index.images.map(({ names }) => names.map((name) => recordTime(name) ?? 0));
  const recorded = {
    earliest: Float64Array.from(times, (some) => Math.min(...some)),
    latest: Float64Array.from(times, (some) => Math.max(0, ...some)),
  };
  recordedBefore.set(index, recorded);
  return recorded;
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
  return { firstSeen, lastUsed, timesUsed: ofImage?.timesUsed ?? 0, pulled };
}
