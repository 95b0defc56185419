// A growing set of images that go, and what it frees: each step costs no more than the shared content of the image that it is about.
import type { Size } from "./numbered-content.ts";
import type { SharedContent } from "./shared-content.ts";

export class RemovedSet {
  readonly #content: SharedContent;
  /** How many holders of each shared item are not in the set. */
  readonly #left: Int32Array;
  /** Those holders, combined as in `SharedContent.holderMix`. */
  readonly #mix: Int32Array;
  /** What each image that is not in the set would free next. */
  readonly #gains: Float64Array;
  #bytes = 0;
  #inodes = 0;

  constructor(content: SharedContent) {
    this.#content = content;
    this.#left = content.holders.slice();
    this.#mix = content.holderMix.slice();
    this.#gains = content.aloneBytes.slice();
  }

  /** Bytes that the set frees. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Inodes that the set frees: an estimate. */
  get inodes(): number {
    return this.#inodes;
  }

  /** Bytes that are freed in addition when this image, which is not in the set, joins it. */
  gainOf(number: number): number {
    return this.#gains[number] ?? 0;
  }

  /** Adds an image and returns the bytes gained. `gainsMore` is told of each image that has become the last holder of something. */
  add(number: number, gainsMore?: (number: number) => void): number {
    const { bytes, inodes, items, starts, aloneInodes } = this.#content;
    const gained = this.gainOf(number);
    this.#bytes += gained;
    this.#inodes += aloneInodes[number] ?? 0;
    const end = starts[number + 1] ?? 0;
    for (let at = starts[number] ?? 0; at < end; at += 1) {
      const item = items[at] as number;
      const left = (this.#left[item] ?? 0) - 1;
      const mix = (this.#mix[item] ?? 0) ^ number;
      this.#left[item] = left;
      this.#mix[item] = mix;
      if (left === 0) this.#inodes += inodes[item] ?? 0;
      if (left !== 1) continue;
      this.#gains[mix] = (this.#gains[mix] ?? 0) + (bytes[item] ?? 0);
      gainsMore?.(mix);
    }
    return gained;
  }

  /** What would not be freed if this image of the set stayed. */
  shareOf(number: number): Size {
    const { bytes, inodes, aloneBytes, aloneInodes } = this.#content;
    const share = { bytes: aloneBytes[number] ?? 0, inodes: aloneInodes[number] ?? 0 };
    for (const item of this.#content.itemsOf(number)) {
      if (this.#left[item] !== 0) continue;
      share.bytes += bytes[item] ?? 0;
      share.inodes += inodes[item] ?? 0;
    }
    return share;
  }

  /** Takes an image out of the set again. What others would gain is not told any more afterwards. */
  giveBack(number: number): void {
    const { bytes, inodes } = this.shareOf(number);
    this.#bytes -= bytes;
    this.#inodes -= inodes;
    for (const item of this.#content.itemsOf(number)) {
      this.#left[item] = (this.#left[item] ?? 0) + 1;
      this.#mix[item] = (this.#mix[item] ?? 0) ^ number;
    }
  }
}
