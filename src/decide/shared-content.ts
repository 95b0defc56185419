// Who holds which content: every blob and layer snapshot of a node once, with the images that need it.
import type { Digest } from "../image/digest.ts";
import type { Image, NodeState } from "../image/node-state.ts";

/** An image and the namespace that holds it. */
export interface NamespacedImage {
  readonly namespace: string;
  readonly image: Image;
}

/** What is held beside the images that are asked about: see `NodeState`. */
export type Holdings = Pick<NodeState, "foreignBlobs"> & {
  readonly namespaces: readonly Pick<NodeState["namespaces"][number], "name" | "held">[];
};

/**
 * Content by number, of images by number, in plain arrays: plans walk over it again and again. Blobs are one pool on disk:
 * they go when no namespace needs them any more. Snapshots belong to one namespace (spec: containerd-api, section 5). What
 * containers, leases, running pulls and other namespaces hold has a holder that never goes.
 */
export class SharedContent {
  /** Bytes of each item. */
  readonly bytes: number[] = [];
  /** Inodes of each item: estimated where the runtime does not tell. */
  readonly inodes: number[] = [];
  /** How many images need each item; more than there can be when something else holds it as well. */
  readonly holders: number[] = [];
  /** The numbers of the images that need each item, combined by exclusive or: of one that is left alone, its number. */
  readonly holderMix: number[] = [];
  /** The items of each image, without doubles. */
  readonly itemsOf: readonly (readonly number[])[];
  /** The last image that was counted as a holder of each item. */
  readonly #lastHolder: number[] = [];
  readonly #blobs = new Map<Digest, number>();
  readonly #snapshots = new Map<string, Map<string, number>>();

  constructor(holdings: Holdings, images: readonly NamespacedImage[]) {
    for (const digest of holdings.foreignBlobs) this.#holdForever(this.#blob(digest));
    for (const { name, held } of holdings.namespaces) {
      for (const digest of held.blobs) this.#holdForever(this.#blob(digest));
      for (const key of held.snapshots) this.#holdForever(this.#item(this.#snapshotsOf(name), key));
    }
    this.itemsOf = images.map((one, number) => this.#add(one, number));
  }

  /** Bytes that all images take together, each item counted once. */
  get totalBytes(): number {
    return this.bytes.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes that are freed when this image alone goes. */
  alone(number: number): number {
    let bytes = 0;
    for (const item of this.itemsOf[number] ?? []) if (this.holders[item] === 1) bytes += this.bytes[item] ?? 0;
    return bytes;
  }

  /** Everything that an image holds, whoever else holds it as well. */
  sizeOf(number: number): { readonly bytes: number; readonly inodes: number } {
    const size = { bytes: 0, inodes: 0 };
    for (const item of this.itemsOf[number] ?? []) {
      size.bytes += this.bytes[item] ?? 0;
      size.inodes += this.inodes[item] ?? 0;
    }
    return size;
  }

  #add({ namespace, image }: NamespacedImage, number: number): readonly number[] {
    const items: number[] = [];
    for (const { digest, size } of image.blobs) {
      const item = this.#blob(digest);
      this.bytes[item] = size;
      this.inodes[item] = 1;
      if (this.#hold(item, number)) items.push(item);
    }
    const snapshots = this.#snapshotsOf(namespace);
    for (const { key, size, inodes } of image.snapshots) {
      const item = this.#item(snapshots, key);
      this.bytes[item] = size;
      this.inodes[item] = inodes ?? estimatedInodes(size);
      if (this.#hold(item, number)) items.push(item);
    }
    return items;
  }

  /** False when the image holds the item already: lists may name content twice. */
  #hold(item: number, number: number): boolean {
    if (this.#lastHolder[item] === number) return false;
    this.#lastHolder[item] = number;
    this.holders[item] = (this.holders[item] ?? 0) + 1;
    this.holderMix[item] = (this.holderMix[item] ?? 0) ^ number;
    return true;
  }

  #holdForever(item: number): void {
    this.holders[item] = never;
  }

  #blob(digest: Digest): number {
    return this.#item(this.#blobs, digest);
  }

  #snapshotsOf(namespace: string): Map<string, number> {
    const known = this.#snapshots.get(namespace) ?? new Map<string, number>();
    this.#snapshots.set(namespace, known);
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

/** More holders than there are images on any node. */
const never = 2 ** 40;

/** Bytes for each inode of a layer, where the runtime does not count them: what common base images come to. */
const bytesPerInode = 24 * 1024;

function estimatedInodes(bytes: number): number {
  return Math.ceil(bytes / bytesPerInode);
}
