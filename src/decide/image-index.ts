// Which images a digest, an ID, a prefix or a snapshot may mean. One-to-many on purpose: on ambiguity all are protected.
import { type Digest, hexOf } from "../image/digest.ts";
import { isIdName } from "../image/image-id.ts";
import type { Image, ImageName, NamespaceState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { type ClassifiedName, classifyName } from "./name-kind.ts";
import { readSpelling } from "./spelling.ts";

/** An image of a namespace with its names, in byte order. */
export interface IndexedImage {
  readonly image: Image;
  readonly names: readonly ImageName[];
}

/** Looks images of one namespace up. */
export interface ImageIndex {
  /** In byte order of their first name. */
  readonly images: readonly IndexedImage[];
  /** What kinds of names each of `images` has, in the same order. */
  readonly kinds: readonly (readonly ClassifiedName[])[];
  /** Groups of several images with one ID, as places in `images`. */
  readonly twins: readonly (readonly number[])[];
  readonly byTarget: ReadonlyMap<Digest, IndexedImage>;
  /** Targets of the images that the runtime marks as pinned. */
  readonly pinned: ReadonlySet<Digest>;
  /** True when one of the names is the record of an image without any other name. */
  readonly hasDangling: boolean;
  /** The place of an image in `images`. */
  placeOf(target: Digest): number | undefined;
  /** The name that is stored exactly so. */
  nameOf(text: string): ImageName | undefined;
  /** Targets of the images that any digest mentioned in `text` means. */
  targetsOf(text: string): readonly Digest[];
  /** Targets of the images one of whose digests begins with `hex`. */
  targetsByHexPrefix(hex: string): readonly Digest[];
  /** Targets of the images whose topmost layer snapshot has this key. */
  targetsBySnapshot(key: string): readonly Digest[];
}

/** States are immutable, and adapters hand on the lists that did not change: a list of images is indexed once with its names. */
const indexes = new WeakMap<readonly Image[], { readonly names: readonly ImageName[]; readonly index: ImageIndex }>();

/** The index of a namespace. A name whose target has no image entry stands for an image of its own, known by its target alone. */
export function indexImages({ images, names }: Pick<NamespaceState, "images" | "names">): ImageIndex {
  const known = indexes.get(images);
  if (known?.names === names) return known.index;
  const index = new NamespaceIndex(images, names);
  indexes.set(images, { names, index });
  return index;
}

/** Makes each lookup table when it is asked for first: most nodes need only some of them. */
class NamespaceIndex implements ImageIndex {
  readonly images: readonly IndexedImage[];
  readonly byTarget: ReadonlyMap<Digest, IndexedImage>;
  readonly #names: readonly ImageName[];
  #kinds: readonly (readonly ClassifiedName[])[] | undefined;
  #twins: readonly (readonly number[])[] | undefined;
  #pinned: ReadonlySet<Digest> | undefined;
  #hasDangling: boolean | undefined;
  #places: ReadonlyMap<Digest, number> | undefined;
  #byName: ReadonlyMap<string, ImageName> | undefined;
  #byDigest: ReadonlyMap<string, OneOrMore> | undefined;
  #byTopSnapshot: ReadonlyMap<string, OneOrMore> | undefined;

  constructor(images: readonly Image[], names: readonly ImageName[]) {
    this.#names = names;
    this.byTarget = joinNamesToImages(images, names);
    this.images = inOrderOfNames([...this.byTarget.values()]);
  }

  get kinds(): readonly (readonly ClassifiedName[])[] {
    this.#kinds ??= this.images.map(({ names }) => names.map(classifyName));
    return this.#kinds;
  }

  get twins(): readonly (readonly number[])[] {
    this.#twins ??= twinsAmong(this.images);
    return this.#twins;
  }

  get pinned(): ReadonlySet<Digest> {
    this.#pinned ??= new Set(this.images.filter(({ image }) => image.pinned).map(({ image }) => image.target));
    return this.#pinned;
  }

  get hasDangling(): boolean {
    this.#hasDangling ??= this.kinds.some((kinds) => kinds.some(({ kind }) => kind === "dangling"));
    return this.#hasDangling;
  }

  placeOf(target: Digest): number | undefined {
    this.#places ??= new Map(this.images.map(({ image }, at) => [image.target, at]));
    return this.#places.get(target);
  }

  nameOf(text: string): ImageName | undefined {
    this.#byName ??= new Map(this.#names.map((name) => [name.name, name]));
    return this.#byName.get(text);
  }

  targetsOf(text: string): readonly Digest[] {
    const digests = this.#digests();
    const exact = digests.get(text);
    if (exact !== undefined) return listOf(exact);
    const mentioned = readSpelling(text).digests;
    const [first, second] = mentioned;
    if (first === undefined) return none;
    if (second === undefined) return listOf(digests.get(first));
    return [...new Set(mentioned.flatMap((digest) => digests.get(digest) ?? []))];
  }

  targetsByHexPrefix(hex: string): readonly Digest[] {
    const matching = [...this.#digests()].filter(([digest]) => hexOf(digest as Digest).startsWith(hex));
    return [...new Set(matching.flatMap(([, targets]) => targets))];
  }

  targetsBySnapshot(key: string): readonly Digest[] {
    this.#byTopSnapshot ??= mapMany(this.images, (entry) => topSnapshots(entry.image));
    return listOf(this.#byTopSnapshot.get(key));
  }

  #digests(): ReadonlyMap<string, OneOrMore> {
    this.#byDigest ??= mapMany(this.images, digestsOf);
    return this.#byDigest;
  }
}

function joinNamesToImages(images: readonly Image[], names: readonly ImageName[]): Map<Digest, IndexedImage> {
  const byTarget = new Map<Digest, { image: Image; readonly names: ImageName[] }>();
  const known = new Map(images.map((image) => [image.target, image]));
  for (const name of names) {
    let entry = byTarget.get(name.target);
    if (entry === undefined) {
      entry = { image: known.get(name.target) ?? bareImage(name.target), names: [] };
      byTarget.set(name.target, entry);
    }
    entry.names.push(name);
  }
  for (const entry of byTarget.values()) {
    entry.names.sort((a, b) => compareBytes(a.name, b.name));
    entry.image = withIdNames(entry.image, entry.names);
  }
  return byTarget;
}

/** What CRI calls an image by, its ID name tells even where the config could not be read. */
function withIdNames(image: Image, names: readonly ImageName[]): Image {
  const configIsKnown = image.id !== image.target;
  const ids = configIsKnown ? [] : idsAmong(names);
  if (ids.every((id) => image.digests.includes(id))) return image;
  return { ...image, digests: [...new Set([...image.digests, ...ids])] };
}

function idsAmong(names: readonly ImageName[]): readonly Digest[] {
  return names.flatMap(({ name }) => (isIdName(name) ? [name as Digest] : []));
}

/** By what a use may mean the image: an ID name counts in any case, because to protect too much is the lesser evil. */
function digestsOf({ image, names }: IndexedImage): readonly string[] {
  const ids = idsAmong(names);
  return ids.length === 0 ? image.digests : [...image.digests, ...ids];
}

/** Runtimes list names in byte order, so that this order is there already, nearly always. */
function inOrderOfNames(images: IndexedImage[]): readonly IndexedImage[] {
  const inOrder = images.every((entry, i) => i === 0 || compareBytes(firstName(images[i - 1]), firstName(entry)) <= 0);
  return inOrder ? images : images.sort((a, b) => compareBytes(firstName(a), firstName(b)));
}

/** Nearly all images have an ID of their own: a list is made only for those that have not. */
function twinsAmong(images: readonly IndexedImage[]): readonly (readonly number[])[] {
  const first = new Map<Digest, number>();
  const groups = new Map<Digest, number[]>();
  images.forEach(({ image: { id } }, i) => {
    const same = first.get(id);
    if (same === undefined) first.set(id, i);
    else groups.set(id, [...(groups.get(id) ?? [same]), i]);
  });
  return [...groups.values()];
}

function bareImage(target: Digest): Image {
  return { target, id: target, digests: [target], pinned: false, blobs: [], snapshots: [] };
}

function firstName(entry: IndexedImage | undefined): string {
  return entry?.names[0]?.name ?? "";
}

/** Nearly every key means one image: a list is made only for those that mean more. */
type OneOrMore = Digest | readonly Digest[];

const none: readonly Digest[] = [];

function listOf(targets: OneOrMore = none): readonly Digest[] {
  return typeof targets === "string" ? [targets] : targets;
}

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
