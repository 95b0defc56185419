// Every blob and layer snapshot that images need, by number. Pure; images that did not change are numbered once.
import type { Digest } from "../image/digest.ts";
import type { Image, NamespaceState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { ImageIndex } from "./image-index.ts";

/** An image and the namespace that holds it. */
export interface NamespacedImage {
  readonly namespace: string;
  readonly image: Image;
}

/** Lists of images by the first index that they were made from: see `holdersOf`. */
const holders = new WeakMap<
  ImageIndex,
  { readonly of: readonly Indexed[]; readonly images: readonly NamespacedImage[] }
>();

interface Indexed {
  readonly namespace: string;
  readonly index: ImageIndex;
}

/** Every image of a node, those without any name last; the same list again for the same indexes. */
export function holdersOf(
  namespaces: readonly NamespaceState[],
  indexes: readonly ImageIndex[],
): readonly NamespacedImage[] {
  const [first] = indexes;
  if (first === undefined) return [];
  const known = holders.get(first);
  const isSame = ({ namespace, index }: Indexed, i: number) =>
    namespace === namespaces[i]?.name && index === indexes[i];
  if (known?.of.length === indexes.length && known.of.every(isSame)) return known.images;
  const of = indexes.map((index, i) => ({ namespace: namespaces[i]?.name ?? "", index }));
  const images = [
    ...of.flatMap(({ namespace, index }) => index.images.map(({ image }) => ({ namespace, image }))),
    ...of.flatMap(({ namespace, index }, i) =>
      (namespaces[i]?.images ?? [])
        .filter(({ target }) => !index.byTarget.has(target))
        .map((image) => ({ namespace, image })),
    ),
  ];
  holders.set(first, { of, images });
  return images;
}

const numbered = new WeakMap<readonly NamespacedImage[], NumberedContent>();

/** The content of these images, by number. */
export function numberContent(images: readonly NamespacedImage[]): NumberedContent {
  const known = numbered.get(images) ?? new NumberedContent(images);
  numbered.set(images, known);
  return known;
}

/** Blobs are one pool on disk; snapshots belong to one namespace (spec: containerd-api, section 5). */
export class NumberedContent {
  /** Bytes of each item. */
  readonly bytes: number[] = [];
  /** Inodes of each item: estimated where the runtime does not tell. */
  readonly inodes: number[] = [];
  /** How many of the images need each item. */
  readonly holders: number[] = [];
  /** The numbers of the images that need each item, combined by exclusive or: of one that is left alone, its number. */
  readonly holderMix: number[] = [];
  /** The items of all images, one image after the other, each without doubles. */
  readonly items: Int32Array;
  /** Where the items of each image begin in `items`, and at last where they end. */
  readonly starts: Int32Array;
  readonly #images: readonly NamespacedImage[];
  #ranks: Int32Array | undefined;
  /** The last image that was counted as a holder of each item. */
  readonly #lastHolder: number[] = [];
  readonly #blobs = new Map<Digest, number>();
  readonly #snapshots = new Map<string, Map<string, number>>();

  constructor(images: readonly NamespacedImage[]) {
    this.#images = images;
    this.starts = new Int32Array(images.length + 1);
    const items: number[] = [];
    images.forEach((one, number) => {
      this.#add(one, number, items);
      this.starts[number + 1] = items.length;
    });
    this.items = Int32Array.from(items);
  }

  /** The place of each image in the byte order of digests; of one digest in several namespaces, the smaller number comes first. */
  get ranks(): Int32Array {
    this.#ranks ??= digestRanks(this.#images);
    return this.#ranks;
  }

  /** The number of a blob; undefined when no image needs it. */
  blob(digest: Digest): number | undefined {
    return this.#blobs.get(digest);
  }

  /** The number of a layer snapshot; undefined when no image needs it. */
  snapshot(namespace: string, key: string): number | undefined {
    return this.#snapshots.get(namespace)?.get(key);
  }

  #add({ namespace, image }: NamespacedImage, number: number, items: number[]): void {
    for (const { digest, size } of image.blobs) {
      const item = this.#item(this.#blobs, digest);
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
  }

  /** False when the image holds the item already: lists may name content twice. */
  #hold(item: number, number: number): boolean {
    if (this.#lastHolder[item] === number) return false;
    this.#lastHolder[item] = number;
    this.holders[item] = (this.holders[item] ?? 0) + 1;
    this.holderMix[item] = (this.holderMix[item] ?? 0) ^ number;
    return true;
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

function digestRanks(images: readonly NamespacedImage[]): Int32Array {
  const digests = images.map(({ image }) => image.target);
  const sorted = digests.map((_, number) => number);
  sorted.sort((a, b) => compareBytes(digests[a] as Digest, digests[b] as Digest) || a - b);
  const ranks = new Int32Array(images.length);
  sorted.forEach((number, rank) => {
    ranks[number] = rank;
  });
  return ranks;
}

/** Bytes for each inode of a layer, where the runtime does not count them: what common base images come to. */
const bytesPerInode = 24 * 1024;

function estimatedInodes(bytes: number): number {
  return Math.ceil(bytes / bytesPerInode);
}
