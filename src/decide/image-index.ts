// Which images a digest, an ID, a prefix or a snapshot may mean. One-to-many on purpose: on ambiguity all are protected.
import { type Digest, hexOf } from "../image/digest.ts";
import type { Image, ImageName, NamespaceState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { digestsIn } from "../image/runtime-spelling.ts";

/** An image of a namespace with its names, in byte order. */
export interface IndexedImage {
  readonly image: Image;
  readonly names: readonly ImageName[];
}

/** Looks images of one namespace up. */
export interface ImageIndex {
  /** In byte order of their first name. */
  readonly images: readonly IndexedImage[];
  readonly byTarget: ReadonlyMap<Digest, IndexedImage>;
  /** The name that is stored exactly so. */
  nameOf(text: string): ImageName | undefined;
  /** Targets of the images that any digest mentioned in `text` means. */
  targetsOf(text: string): readonly Digest[];
  /** Targets of the images one of whose digests begins with `hex`. */
  targetsByHexPrefix(hex: string): readonly Digest[];
  /** Targets of the images whose topmost layer snapshot has this key. */
  targetsBySnapshot(key: string): readonly Digest[];
}

/** Builds the index. A name whose target has no image entry stands for an image of its own, known by its target alone. */
export function indexImages(namespace: NamespaceState): ImageIndex {
  const byTarget = joinNamesToImages(namespace);
  const images = [...byTarget.values()].sort((a, b) => compareBytes(firstName(a), firstName(b)));
  const byDigest = mapMany(images, (entry) => entry.image.digests);
  // Asked only where a use mentions no digest: most nodes never need them.
  let byName: ReadonlyMap<string, ImageName> | undefined;
  let byTopSnapshot: ReadonlyMap<string, OneOrMore> | undefined;

  return {
    images,
    byTarget,
    nameOf(text) {
      byName ??= new Map(namespace.names.map((name) => [name.name, name]));
      return byName.get(text);
    },
    targetsOf: (text) => [...new Set(digestsIn(text).flatMap((digest) => byDigest.get(digest) ?? []))],
    targetsByHexPrefix(hex) {
      const matching = [...byDigest].filter(([digest]) => hexOf(digest as Digest).startsWith(hex));
      return [...new Set(matching.flatMap(([, targets]) => targets))];
    },
    targetsBySnapshot(key) {
      byTopSnapshot ??= mapMany(images, (entry) => topSnapshots(entry.image));
      return [byTopSnapshot.get(key) ?? []].flat();
    },
  };
}

function joinNamesToImages(namespace: NamespaceState): Map<Digest, IndexedImage> {
  const byTarget = new Map<Digest, { image: Image; names: ImageName[] }>();
  const known = new Map(namespace.images.map((image) => [image.target, image]));
  for (const name of namespace.names) {
    let entry = byTarget.get(name.target);
    if (entry === undefined) {
      entry = { image: known.get(name.target) ?? bareImage(name.target), names: [] };
      byTarget.set(name.target, entry);
    }
    entry.names.push(name);
  }
  for (const entry of byTarget.values()) entry.names.sort((a, b) => compareBytes(a.name, b.name));
  return byTarget;
}

function bareImage(target: Digest): Image {
  return { target, id: target, digests: [target], pinned: false, blobs: [], snapshots: [] };
}

function firstName(entry: IndexedImage): string {
  return entry.names[0]?.name ?? "";
}

/** Nearly every key means one image: a list is made only for those that mean more. */
type OneOrMore = Digest | readonly Digest[];

function mapMany(
  images: readonly IndexedImage[],
  keysOf: (entry: IndexedImage) => readonly string[],
): ReadonlyMap<string, OneOrMore> {
  const result = new Map<string, OneOrMore>();
  for (const entry of images) {
    const { target } = entry.image;
    for (const key of keysOf(entry)) {
      const known = result.get(key);
      if (known === undefined) result.set(key, target);
      else if (known !== target) result.set(key, [...new Set([known, target].flat())]);
    }
  }
  return result;
}

/** Keys of the snapshots that are nobody's parent within the image: one per platform and snapshotter. */
function topSnapshots(image: Image): string[] {
  const parents = new Set(image.snapshots.map((snapshot) => snapshot.parent));
  return image.snapshots.filter((snapshot) => !parents.has(snapshot.key)).map((snapshot) => snapshot.key);
}
