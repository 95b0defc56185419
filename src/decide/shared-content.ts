// Who holds which content: what each image holds alone, and every blob and layer snapshot that several need, with those images.
import type { NodeState } from "../image/node-state.ts";
import type { NamespacedImage } from "./listed-content.ts";
import { type NumberedContent, numberContent, type Size, type Whereabouts } from "./numbered-content.ts";

/** What is held beside the images that are asked about: see `NodeState`. */
export type Holdings = Pick<NodeState, "foreignBlobs"> & {
  readonly namespaces: readonly Pick<NodeState["namespaces"][number], "name" | "held">[];
};

/**
 * Content by number, of images by number, in plain arrays: plans walk over it again and again. Content goes when no image
 * needs it any more; what containers, leases, running pulls and other namespaces hold has a holder that never goes.
 */
export class SharedContent {
  readonly #numbered: NumberedContent;
  /** Of each image, the bytes and inodes that are freed when it goes alone. Inodes are estimates where the runtime does not tell. */
  readonly aloneBytes: Float64Array;
  readonly aloneInodes: Float64Array;
  /** How many images need each shared item; more than there can be when something else holds it as well. */
  readonly holders: Int32Array;

  constructor(holdings: Holdings, images: readonly NamespacedImage[]) {
    this.#numbered = numberContent(images);
    this.aloneBytes = this.#numbered.ownBytes.slice();
    this.aloneInodes = this.#numbered.ownInodes.slice();
    this.holders = this.#numbered.holders.slice();
    const blobs = new Set([...holdings.foreignBlobs, ...holdings.namespaces.flatMap(({ held }) => held.blobs)]);
    for (const digest of blobs) this.#holdForever(this.#numbered.blob(digest));
    for (const { name, held } of holdings.namespaces) {
      for (const key of new Set(held.snapshots)) this.#holdForever(this.#numbered.snapshot(name, key));
    }
  }

  #holdForever(where: Whereabouts | undefined): void {
    if (where === undefined) return;
    if ("shared" in where) {
      this.holders[where.shared] = never;
      return;
    }
    const { owner, size } = where;
    this.aloneBytes[owner] = (this.aloneBytes[owner] ?? 0) - size.bytes;
    this.aloneInodes[owner] = (this.aloneInodes[owner] ?? 0) - size.inodes;
  }

  /** Bytes of each shared item. */
  get bytes(): Float64Array {
    return this.#numbered.bytes;
  }

  /** Inodes of each shared item: estimated where the runtime does not tell. */
  get inodes(): Float64Array {
    return this.#numbered.inodes;
  }

  /** The numbers of the images that need each shared item, combined by exclusive or: of one that is left alone, its number. */
  get holderMix(): Int32Array {
    return this.#numbered.holderMix;
  }

  /** The place of each image in the order that decides where nothing else does. */
  get ranks(): Int32Array {
    return this.#numbered.ranks;
  }

  /** The shared items of all images, one image after the other, each without doubles: see `starts`. */
  get items(): Int32Array {
    return this.#numbered.items;
  }

  /** Where the items of each image begin in `items`, and at last where they end. */
  get starts(): Int32Array {
    return this.#numbered.starts;
  }

  /** Bytes that all images take together, each item counted once. */
  get totalBytes(): number {
    return this.#numbered.totalBytes;
  }

  /** Bytes that are freed when this image alone goes. */
  alone(number: number): number {
    return this.aloneBytes[number] ?? 0;
  }

  /** The shared items of one image. */
  itemsOf(number: number): Int32Array {
    return this.items.subarray(this.starts[number], this.starts[number + 1]);
  }

  /** Everything that an image holds, whoever else holds it as well. */
  sizeOf(number: number): Size {
    let bytes = this.#numbered.ownBytes[number] ?? 0;
    let inodes = this.#numbered.ownInodes[number] ?? 0;
    for (const item of this.itemsOf(number)) {
      bytes += this.bytes[item] ?? 0;
      inodes += this.inodes[item] ?? 0;
    }
    return { bytes, inodes };
  }
}

/** More holders than there are images on any node. */
const never = 2 ** 30;
