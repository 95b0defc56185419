// Every blob and layer snapshot that images need, once, in plain arrays. Pure.
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";

/** An image and the namespace that holds it. */
export interface NamespacedImage {
  readonly namespace: string;
  readonly image: Image;
}

/** Every item of content once, as it is met first in the lists of images. */
export class ListedContent {
  readonly bytes: number[] = [];
  readonly inodes: number[] = [];
  readonly holders: number[] = [];
  readonly holderMix: number[] = [];
  /** The items of all images, one image after the other, each without doubles. */
  readonly items: number[] = [];
  /** Where the items of each image begin in `items`, and at last where they end. */
  readonly starts: number[] = [0];
  readonly blobs = new Map<Digest, number>();
  readonly snapshots = new Map<string, Map<string, number>>();
  /** The last image that was counted as a holder of each item. */
  readonly #lastHolder: number[] = [];

  constructor(images: readonly NamespacedImage[]) {
    images.forEach((one, number) => {
      this.#add(one, number);
      this.starts.push(this.items.length);
    });
  }

  #add({ namespace, image }: NamespacedImage, number: number): void {
    for (const { digest, size } of image.blobs) {
      const item = this.#item(this.blobs, digest);
      this.bytes[item] = size;
      this.inodes[item] = 1;
      this.#hold(item, number);
    }
    const snapshots = this.#snapshotsOf(namespace);
    for (const { key, size, inodes } of image.snapshots) {
      const item = this.#item(snapshots, key);
      this.bytes[item] = size;
      this.inodes[item] = inodes ?? estimatedInodes(size);
      this.#hold(item, number);
    }
  }

  /** Lists may name content twice. */
  #hold(item: number, number: number): void {
    if (this.#lastHolder[item] === number) return;
    this.#lastHolder[item] = number;
    this.holders[item] = (this.holders[item] ?? 0) + 1;
    this.holderMix[item] = (this.holderMix[item] ?? 0) ^ number;
    this.items.push(item);
  }

  #snapshotsOf(namespace: string): Map<string, number> {
    const known = this.snapshots.get(namespace) ?? new Map<string, number>();
    this.snapshots.set(namespace, known);
    return known;
  }

  #item<Key>(items: Map<Key, number>, key: Key): number {
    const known = items.get(key);
    if (known !== undefined) return known;
    const item = this.holders.length;
    items.set(key, item);
    this.bytes.push(0);
    this.inodes.push(0);
    this.holders.push(0);
    this.holderMix.push(0);
    this.#lastHolder.push(-1);
    return item;
  }
}

/** Bytes for each inode of a layer, where the runtime does not count them: what common base images come to. */
const bytesPerInode = 24 * 1024;

function estimatedInodes(bytes: number): number {
  return Math.ceil(bytes / bytesPerInode);
}
