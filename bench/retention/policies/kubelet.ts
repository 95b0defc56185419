// The kubelet's image collection: least recently used by what it remembers since its start, in sizes added up.
import type { Instant } from "../../../src/image/node-state.ts";
import type { CataloguedImage } from "../catalogue.ts";
import type { HeldImage } from "../node.ts";
import { minutes, seconds } from "../units.ts";
import type { Caretaker, RetentionPolicy, World } from "./caretaker.ts";

/** The kubelet's own defaults: `imageGCHighThresholdPercent`, `imageGCLowThresholdPercent`, `imageMinimumGCAge`, its fixed period. */
const defaults = { high: 0.85, low: 0.8, minAge: minutes(2), every: minutes(5) };

/** The collection alone, as if its eviction manager never came first. */
export const kubelet: RetentionPolicy = {
  name: "kubelet LRU 85/80",
  start: (world) => new KubeletCollection(world),
};

/**
 * With the eviction manager, which looks every 10 seconds: at `imagefs.available<15%`, its default and the same 85 %, it has all
 * unused images deleted before it evicts pods.
 */
export const kubeletWithEviction: RetentionPolicy = {
  name: "kubelet with eviction",
  start: (world) => new KubeletEviction(world),
};

interface ImageRecord {
  readonly firstDetected: Instant;
  /** 0 when no use was seen. */
  lastUsed: Instant;
  /** In place of the order of a Go map: decides between equal times. */
  readonly draw: number;
}

class KubeletCollection implements Caretaker {
  readonly every: number = defaults.every;
  protected readonly world: World;
  readonly #records = new Map<number, ImageRecord>();

  constructor(world: World) {
    this.world = world;
  }

  look(now: Instant): void {
    this.detect(now);
    const { node } = this.world;
    if (node.fill < defaults.high) return;
    const available = node.disk.capacity - node.used;
    this.free(node.disk.capacity * (1 - defaults.low) - available, now);
  }

  restarted(): void {
    this.#records.clear();
  }

  protected detect(now: Instant): void {
    const { node, random } = this.world;
    for (const index of this.#records.keys()) if (!node.images.has(index)) this.#records.delete(index);
    for (const [index, { users }] of node.images) {
      const record = this.#records.get(index) ?? { firstDetected: now, lastUsed: 0, draw: random.next() };
      if (users > 0) record.lastUsed = now;
      this.#records.set(index, record);
    }
  }

  /** Deletes in order of last use until the sizes of what went add up to `bytes`. */
  protected free(bytes: number, now: Instant): void {
    const { node } = this.world;
    let freed = 0;
    for (const { held, record } of this.#inEvictionOrder()) {
      if (freed >= bytes) return;
      if (held.users > 0 || now - record.firstDetected < defaults.minAge) continue;
      node.remove(held.image);
      freed += reportedSize(held.image);
    }
  }

  #inEvictionOrder(): readonly { held: HeldImage; record: ImageRecord }[] {
    const known = [...this.world.node.images].flatMap(([index, held]) => {
      const record = this.#records.get(index);
      return record === undefined ? [] : [{ held, record }];
    });
    return known.sort(
      ({ record: a }, { record: b }) => a.lastUsed - b.lastUsed || a.firstDetected - b.firstDetected || a.draw - b.draw,
    );
  }
}

class KubeletEviction extends KubeletCollection {
  override readonly every = seconds(10);
  #lastCollection = 0;

  override look(now: Instant): void {
    if (this.world.node.fill > defaults.high) {
      this.detect(now);
      this.free(Number.POSITIVE_INFINITY, now);
    }
    if (now - this.#lastCollection < defaults.every) return;
    this.#lastCollection = now;
    super.look(now);
  }
}

/** CRI reports the packed bytes of all layers, whoever else needs them. */
function reportedSize(image: CataloguedImage): number {
  return image.layers.reduce((sum, { packed }) => sum + packed, 0);
}
