// A growing set of images that go, and what it frees: each step costs no more than the content of the image that it is about.
import type { SharedContent } from "./shared-content.ts";

export class RemovedSet {
  readonly #content: SharedContent;
  /** How many holders of each item are in the set. */
  readonly #gone: Float64Array;
  /** The holders that are left, combined as in `SharedContent.holderMix`. */
  readonly #left: Int32Array;
  /** What each image that is not in the set would free next. */
  readonly #gains: Float64Array;
  #bytes = 0;
  #inodes = 0;

  constructor(content: SharedContent) {
    this.#content = content;
    this.#gone = new Float64Array(content.holders.length);
    this.#left = new Int32Array(content.holderMix);
    this.#gains = content.alones.slice();
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
    const { bytes, inodes, holders, items, starts } = this.#content;
    const before = this.#bytes;
    const end = starts[number + 1] ?? 0;
    for (let at = starts[number] ?? 0; at < end; at += 1) {
      const item = items[at] as number;
      const gone = (this.#gone[item] ?? 0) + 1;
      this.#gone[item] = gone;
      this.#left[item] = (this.#left[item] ?? 0) ^ number;
      const left = (holders[item] ?? 0) - gone;
      if (left === 0) {
        this.#bytes += bytes[item] ?? 0;
        this.#inodes += inodes[item] ?? 0;
      } else if (left === 1) {
        const last = this.#left[item] ?? 0;
        this.#gains[last] = (this.#gains[last] ?? 0) + (bytes[item] ?? 0);
        gainsMore?.(last);
      }
    }
    return this.#bytes - before;
  }

  /** What would not be freed if this image of the set stayed. */
  shareOf(number: number): { readonly bytes: number; readonly inodes: number } {
    const share = { bytes: 0, inodes: 0 };
    for (const item of this.#content.itemsOf(number)) {
      if (this.#gone[item] !== this.#content.holders[item]) continue;
      share.bytes += this.#content.bytes[item] ?? 0;
      share.inodes += this.#content.inodes[item] ?? 0;
    }
    return share;
  }

  /** Takes an image out of the set again. What others would gain is not told any more afterwards. */
  giveBack(number: number): void {
    const { bytes, inodes } = this.shareOf(number);
    this.#bytes -= bytes;
    this.#inodes -= inodes;
    for (const item of this.#content.itemsOf(number)) {
      this.#gone[item] = (this.#gone[item] ?? 0) - 1;
      this.#left[item] = (this.#left[item] ?? 0) ^ number;
    }
  }
}
