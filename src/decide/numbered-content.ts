// Every blob and layer snapshot that images need, by number. Pure; images that did not change are numbered once.
import type { Digest } from "../image/digest.ts";
import type { NamespaceState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { ImageIndex } from "./image-index.ts";
import { ListedContent, type NamespacedImage } from "./listed-content.ts";

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

/** Bytes and inodes. */
export interface Size {
  readonly bytes: number;
  readonly inodes: number;
}

/** Where an item of content is: among those that several images need, or with the only image that needs it. */
export type Whereabouts = { readonly shared: number } | { readonly owner: number; readonly size: Size };

/**
 * Most content is needed by one image alone. It is added up for that image, so that plans have to follow only the items that
 * several images need. Blobs are one pool on disk; snapshots belong to one namespace (spec: containerd-api, section 5).
 */
export class NumberedContent {
  /** Bytes and inodes that each image holds alone. Inodes are estimated where the runtime does not tell. */
  readonly ownBytes: Float64Array;
  readonly ownInodes: Float64Array;
  /** Bytes and inodes of each shared item. */
  readonly bytes: Float64Array;
  readonly inodes: Float64Array;
  /** How many of the images need each shared item. */
  readonly holders: Int32Array;
  /** The numbers of the images that need each shared item, combined by exclusive or: of one that is left alone, its number. */
  readonly holderMix: Int32Array;
  /** The shared items of all images, one image after the other, each without doubles. */
  readonly items: Int32Array;
  /** Where the items of each image begin in `items`, and at last where they end. */
  readonly starts: Int32Array;
  /** Bytes of all content, each item counted once. */
  readonly totalBytes: number;
  readonly #images: readonly NamespacedImage[];
  readonly #listed: ListedContent;
  /** The shared item that each listed item is; below 0 for those of one image. */
  readonly #places: Int32Array;
  #ranks: Int32Array | undefined;

  constructor(images: readonly NamespacedImage[]) {
    const listed = new ListedContent(images);
    const shared = [...listed.holders.keys()].filter((item) => (listed.holders[item] ?? 0) > 1);
    const places = new Int32Array(listed.holders.length).fill(-1);
    shared.forEach((item, place) => {
      places[item] = place;
    });
    const pick = (from: readonly number[]): readonly number[] => shared.map((item) => from[item] ?? 0);
    this.bytes = Float64Array.from(pick(listed.bytes));
    this.inodes = Float64Array.from(pick(listed.inodes));
    this.holders = Int32Array.from(pick(listed.holders));
    this.holderMix = Int32Array.from(pick(listed.holderMix));
    this.ownBytes = new Float64Array(images.length);
    this.ownInodes = new Float64Array(images.length);
    this.starts = new Int32Array(images.length + 1);
    const items: number[] = [];
    for (let number = 0; number < images.length; number += 1) {
      for (let at = listed.starts[number] ?? 0; at < (listed.starts[number + 1] ?? 0); at += 1) {
        const item = listed.items[at] ?? 0;
        const place = places[item] ?? -1;
        if (place >= 0) items.push(place);
        else this.#own(number, listed.bytes[item] ?? 0, listed.inodes[item] ?? 0);
      }
      this.starts[number + 1] = items.length;
    }
    this.items = Int32Array.from(items);
    this.totalBytes = listed.bytes.reduce((sum, bytes) => sum + bytes, 0);
    this.#images = images;
    this.#listed = listed;
    this.#places = places;
  }

  /** The place of each image in the byte order of digests; of one digest in several namespaces, the smaller number comes first. */
  get ranks(): Int32Array {
    this.#ranks ??= digestRanks(this.#images);
    return this.#ranks;
  }

  /** Where a blob is; undefined when no image needs it. */
  blob(digest: Digest): Whereabouts | undefined {
    return this.#whereabouts(this.#listed.blobs.get(digest));
  }

  /** Where a layer snapshot is; undefined when no image needs it. */
  snapshot(namespace: string, key: string): Whereabouts | undefined {
    return this.#whereabouts(this.#listed.snapshots.get(namespace)?.get(key));
  }

  #whereabouts(item: number | undefined): Whereabouts | undefined {
    if (item === undefined) return undefined;
    const shared = this.#places[item] ?? -1;
    if (shared >= 0) return { shared };
    const { holderMix, bytes, inodes } = this.#listed;
    return { owner: holderMix[item] ?? -1, size: { bytes: bytes[item] ?? 0, inodes: inodes[item] ?? 0 } };
  }

  #own(number: number, bytes: number, inodes: number): void {
    this.ownBytes[number] = (this.ownBytes[number] ?? 0) + bytes;
    this.ownInodes[number] = (this.ownInodes[number] ?? 0) + inodes;
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
