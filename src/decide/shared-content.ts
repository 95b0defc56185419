// Who holds which content: every blob and layer snapshot of a node once, with the images that need it.
import type { NodeState } from "../image/node-state.ts";
import { type NamespacedImage, type NumberedContent, numberContent } from "./numbered-content.ts";

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
  #alones: Float64Array | undefined;
  /** How many images need each item; more than there can be when something else holds it as well. */
  readonly holders: readonly number[];

  constructor(holdings: Holdings, images: readonly NamespacedImage[]) {
    this.#numbered = numberContent(images);
    const holders = this.#numbered.holders.slice();
    const holdForever = (item: number | undefined): void => {
      if (item !== undefined) holders[item] = never;
    };
    for (const digest of holdings.foreignBlobs) holdForever(this.#numbered.blob(digest));
    for (const { name, held } of holdings.namespaces) {
      for (const digest of held.blobs) holdForever(this.#numbered.blob(digest));
      for (const key of held.snapshots) holdForever(this.#numbered.snapshot(name, key));
    }
    this.holders = holders;
  }

  /** Bytes of each item. */
  get bytes(): readonly number[] {
    return this.#numbered.bytes;
  }

  /** Inodes of each item: estimated where the runtime does not tell. */
  get inodes(): readonly number[] {
    return this.#numbered.inodes;
  }

  /** The numbers of the images that need each item, combined by exclusive or: of one that is left alone, its number. */
  get holderMix(): readonly number[] {
    return this.#numbered.holderMix;
  }

  /** The place of each image in the order that decides where nothing else does. */
  get ranks(): Int32Array {
    return this.#numbered.ranks;
  }

  /** The items of all images, one image after the other, each without doubles: see `starts`. */
  get items(): Int32Array {
    return this.#numbered.items;
  }

  /** Where the items of each image begin in `items`, and at last where they end. */
  get starts(): Int32Array {
    return this.#numbered.starts;
  }

  /** Bytes that all images take together, each item counted once. */
  get totalBytes(): number {
    return this.bytes.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Of each image, the bytes that are freed when it goes alone. */
  get alones(): Float64Array {
    this.#alones ??= this.#heldAlone();
    return this.#alones;
  }

  /** Bytes that are freed when this image alone goes. */
  alone(number: number): number {
    return this.alones[number] ?? 0;
  }

  #heldAlone(): Float64Array {
    const { bytes, items, starts, holders } = this;
    const alones = new Float64Array(starts.length - 1);
    for (let number = 0; number < alones.length; number += 1) {
      let alone = 0;
      for (let at = starts[number] as number; at < (starts[number + 1] as number); at += 1) {
        const item = items[at] as number;
        if (holders[item] === 1) alone += bytes[item] ?? 0;
      }
      alones[number] = alone;
    }
    return alones;
  }

  /** The items of one image. */
  itemsOf(number: number): Int32Array {
    return this.items.subarray(this.starts[number], this.starts[number + 1]);
  }

  /** Everything that an image holds, whoever else holds it as well. */
  sizeOf(number: number): { readonly bytes: number; readonly inodes: number } {
    const size = { bytes: 0, inodes: 0 };
    for (const item of this.itemsOf(number)) {
      size.bytes += this.bytes[item] ?? 0;
      size.inodes += this.inodes[item] ?? 0;
    }
    return size;
  }
}

/** More holders than there are images on any node. */
const never = 2 ** 40;
