// The clairvoyant: knows the whole trace, waits until the last moment and gives up what is needed latest. The mark to come close to.
import type { Instant } from "../../../src/image/node-state.ts";
import type { CataloguedImage, Layer } from "../catalogue.ts";
import type { Node } from "../node.ts";
import type { Trace } from "../trace.ts";
import type { RetentionPolicy } from "./caretaker.ts";

/**
 * Evicts image by image until the pull fits under `limit`, a share of the disk, and takes back what need not have gone. An image
 * counts by the layers that only it still holds: the one goes first whose freed bytes are needed latest on average, by any image
 * whatsoever (1 / time to the next use, weighted with bytes). For images of equal size that share nothing this is Belady's rule,
 * and optimal. With shared layers of different sizes the true optimum is out of reach: lower-bound.ts says how far at most it is.
 */
export function belady(limit: number): RetentionPolicy {
  return {
    name: `Belady, up to ${Math.round(100 * limit)} %`,
    start: ({ node, trace }) => {
      const uses = new NextUses(trace);
      return {
        every: Number.POSITIVE_INFINITY,
        beforePull: (image, now) => makeRoom(node, { image, limit, urgency: (layer) => uses.urgency(layer, now) }),
      };
    },
  };
}

interface Room {
  readonly image: CataloguedImage;
  readonly limit: number;
  readonly urgency: (layer: Layer) => number;
}

function makeRoom(node: Node, { image, limit, urgency }: Room): void {
  const fits = (more = 0): boolean => node.used + missingBytes(node, image) + more <= limit * node.disk.capacity;
  const evicted: CataloguedImage[] = [];
  while (!fits()) {
    const latest = neededLatest(node, urgency);
    if (latest === undefined) break;
    node.remove(latest);
    evicted.push(latest);
  }
  for (const back of evicted.toReversed()) if (fits(missingBytes(node, back))) node.pull(back, 0);
}

function missingBytes(node: Node, image: CataloguedImage): number {
  return node.missing(image).reduce((sum, { bytes }) => sum + bytes, 0);
}

function neededLatest(node: Node, urgency: (layer: Layer) => number): CataloguedImage | undefined {
  let latest: CataloguedImage | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { image, users } of node.images.values()) {
    if (users > 0) continue;
    const score = meanUrgency(node, image, urgency);
    if (score >= least) continue;
    latest = image;
    least = score;
  }
  return latest;
}

function meanUrgency(node: Node, image: CataloguedImage, urgency: (layer: Layer) => number): number {
  let [bytes, weighted] = [0, 0];
  for (const layer of image.layers) {
    if (!node.holdsAlone(layer)) continue;
    bytes += layer.bytes;
    weighted += layer.bytes * urgency(layer);
  }
  return bytes === 0 ? 0 : weighted / bytes;
}

/** When layers are needed next, by whichever image. */
class NextUses {
  readonly #starts: Instant[][];
  readonly #passed: Int32Array;

  constructor({ starts, layers }: Trace) {
    this.#starts = layers.map(() => []);
    this.#passed = new Int32Array(layers.length);
    for (const { image, at } of starts) for (const { index } of image.layers) this.#starts[index]?.push(at);
  }

  /** One divided by the time to the next use; 0 when there is none. Asked with times that only grow. */
  urgency({ index }: Layer, now: Instant): number {
    const times = this.#starts[index] ?? [];
    let passed = this.#passed[index] ?? 0;
    while (passed < times.length && (times[passed] ?? 0) <= now) passed += 1;
    this.#passed[index] = passed;
    return 1 / ((times[passed] ?? Number.POSITIVE_INFINITY) - now);
  }
}
