// The simulated node: which images and layers it holds, what runs, and how full its disk is. Counts every byte once.
import type { Instant } from "../../src/image/node-state.ts";
import type { CataloguedImage, Layer } from "./catalogue.ts";

export interface Disk {
  /** Bytes of the whole disk. */
  readonly capacity: number;
  /** Bytes that are no images. */
  readonly other: number;
}

/** What a policy may look at. Times of use are what a careful observer sees: policies that see less keep their own memory. */
export interface HeldImage {
  readonly image: CataloguedImage;
  readonly pulledAt: Instant;
  /** Pods that use it now. */
  users: number;
  /** When a use last began or ended. */
  lastUsed: Instant;
  /** How often a use began. */
  timesUsed: number;
}

export class Node {
  readonly disk: Disk;
  /** By the index of the image, in order of their pulls. */
  readonly images = new Map<number, HeldImage>();
  readonly #holders: Int32Array;
  #used: number;
  #removed = 0;

  constructor(disk: Disk, layers: readonly Layer[]) {
    this.disk = disk;
    this.#used = disk.other;
    this.#holders = new Int32Array(layers.length);
  }

  /** Bytes in use on the disk: what is no image, and every layer once. */
  get used(): number {
    return this.#used;
  }

  /** Share of the disk that is in use. */
  get fill(): number {
    return this.#used / this.disk.capacity;
  }

  /** How many images were taken off. */
  get removed(): number {
    return this.#removed;
  }

  holds(layer: Layer): boolean {
    return (this.#holders[layer.index] ?? 0) > 0;
  }

  /** True when only one image holds the layer. */
  holdsAlone(layer: Layer): boolean {
    return this.#holders[layer.index] === 1;
  }

  /** Layers that a pull of this image would fetch. */
  missing(image: CataloguedImage): readonly Layer[] {
    return this.images.has(image.index) ? [] : image.layers.filter((layer) => !this.holds(layer));
  }

  /** Puts an image on the disk. The caller has made sure that it fits. */
  pull(image: CataloguedImage, now: Instant): void {
    if (this.images.has(image.index)) return;
    for (const layer of this.missing(image)) this.#used += layer.bytes;
    if (this.#used > this.disk.capacity) throw new Error("a pull exceeds the disk");
    this.#count(image, 1);
    this.images.set(image.index, { image, pulledAt: now, users: 0, lastUsed: now, timesUsed: 0 });
  }

  /** Bytes that removing this image alone would free. */
  gain(image: CataloguedImage): number {
    let bytes = 0;
    for (const layer of image.layers) if (this.holdsAlone(layer)) bytes += layer.bytes;
    return bytes;
  }

  /** Takes an image off the disk, with the layers that no other image needs. Refuses images in use: no policy may ask for them. */
  remove(image: CataloguedImage): void {
    const held = this.images.get(image.index);
    if (held === undefined) return;
    if (held.users > 0) throw new Error(`${held.image.name.name} is in use and must not go`);
    this.#used -= this.gain(image);
    this.#count(image, -1);
    this.images.delete(image.index);
    this.#removed += 1;
  }

  begin(image: CataloguedImage, now: Instant): void {
    const held = this.#held(image);
    held.users += 1;
    held.timesUsed += 1;
    held.lastUsed = now;
  }

  end(image: CataloguedImage, now: Instant): void {
    const held = this.#held(image);
    held.users -= 1;
    held.lastUsed = now;
  }

  #held(image: CataloguedImage): HeldImage {
    const held = this.images.get(image.index);
    if (held === undefined) throw new Error(`${image.name.name} is not on the node`);
    return held;
  }

  #count(image: CataloguedImage, change: 1 | -1): void {
    for (const { index } of image.layers) this.#holders[index] = (this.#holders[index] ?? 0) + change;
  }
}
