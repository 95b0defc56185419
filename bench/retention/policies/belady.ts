// The clairvoyant: knows the whole trace, waits until the last moment and gives up what is needed latest. The mark to come close to.
import type { Instant } from "../../../src/image/node-state.ts";
import type { CataloguedImage } from "../catalogue.ts";
import type { Node } from "../node.ts";
import type { Trace } from "../trace.ts";
import type { RetentionPolicy } from "./caretaker.ts";

/**
 * Evicts the image whose next use is farthest until the pull fits under `limit`, a share of the disk; then takes back what need
 * not have gone, the image that is needed first of all. Optimal for images of equal size that share nothing. With shared layers
 * and different sizes the true optimum is out of reach, and this is the best known way of getting near (see lower-bound.ts).
 */
export function belady(limit: number): RetentionPolicy {
  return {
    name: `Belady, up to ${Math.round(100 * limit)} %`,
    start: ({ node, trace }) => {
      const uses = new NextUses(trace);
      return {
        every: Number.POSITIVE_INFINITY,
        beforePull: (image, now) => makeRoom(node, { image, limit, nextUse: (other) => uses.after(other, now) }),
      };
    },
  };
}

interface Room {
  readonly image: CataloguedImage;
  readonly limit: number;
  readonly nextUse: (image: CataloguedImage) => Instant;
}

function makeRoom(node: Node, { image, limit, nextUse }: Room): void {
  const fits = (more = 0): boolean => node.used + missingBytes(node, image) + more <= limit * node.disk.capacity;
  if (fits()) return;
  const farthestFirst = [...node.images.values()]
    .filter((held) => held.users === 0)
    .map((held) => ({ held, next: nextUse(held.image) }))
    .sort((a, b) => b.next - a.next || a.held.image.index - b.held.image.index);
  const evicted: CataloguedImage[] = [];
  for (const { held } of farthestFirst) {
    if (fits()) break;
    node.remove(held.image);
    evicted.push(held.image);
  }
  for (const back of evicted.toReversed()) if (fits(missingBytes(node, back))) node.pull(back, 0);
}

function missingBytes(node: Node, image: CataloguedImage): number {
  return node.missing(image).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** When images are started next. */
class NextUses {
  readonly #starts = new Map<number, Instant[]>();
  readonly #passed = new Map<number, number>();

  constructor({ starts }: Trace) {
    for (const { image, at } of starts) {
      const times = this.#starts.get(image.index);
      if (times === undefined) this.#starts.set(image.index, [at]);
      else times.push(at);
    }
  }

  /** Infinite when there is none. Asked with times that only grow. */
  after({ index }: CataloguedImage, now: Instant): Instant {
    const times = this.#starts.get(index) ?? [];
    let passed = this.#passed.get(index) ?? 0;
    while (passed < times.length && (times[passed] ?? 0) <= now) passed += 1;
    this.#passed.set(index, passed);
    return times[passed] ?? Number.POSITIVE_INFINITY;
  }
}
