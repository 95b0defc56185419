// What the embedded runtime keeps for one namespace, and which of it is still reachable.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { Blob, Container, Image, ImageName, LayerSnapshot, NamespaceState } from "../../image/node-state.ts";

/** The records and the content that one namespace sees. Changed only through the functions of this file. */
export interface NamespaceStore {
  readonly name: string;
  readonly names: Map<string, ImageName>;
  readonly images: Map<Digest, Image>;
  /** Images that were given without any name (Docker's untagged ones): they stay until removed by ID. */
  readonly nameless: Set<Digest>;
  readonly blobs: Map<Digest, Blob>;
  readonly snapshots: Map<string, LayerSnapshot>;
  readonly containers: Map<string, Container>;
  /** Per container, the layer snapshots below its own: they outlive the image's names. */
  readonly containerSnapshots: Map<string, readonly string[]>;
  readonly heldBlobs: Set<Digest>;
  readonly heldSnapshots: Set<string>;
  /** Any digest of an image, to the targets of the images that it means. */
  readonly targetsByDigest: Map<Digest, Set<Digest>>;
}

/** What collection must leave alone. */
interface Reachable {
  readonly images: ReadonlySet<Digest>;
  readonly blobs: ReadonlySet<Digest>;
  readonly snapshots: ReadonlySet<string>;
}

/** A namespace with nothing in it. */
export function emptyStore(name: string): NamespaceStore {
  return {
    name,
    names: new Map(),
    images: new Map(),
    nameless: new Set(),
    blobs: new Map(),
    snapshots: new Map(),
    containers: new Map(),
    containerSnapshots: new Map(),
    heldBlobs: new Set(),
    heldSnapshots: new Set(),
    targetsByDigest: new Map(),
  };
}

/** Fills a namespace from what was once seen. A target that no image describes becomes an image of its own, without content. */
export function storeOf(state: NamespaceState): NamespaceStore {
  const store = emptyStore(state.name);
  for (const image of state.images) putImage(store, image);
  for (const name of state.names) putName(store, name);
  const named = new Set(state.names.map((name) => name.target));
  for (const image of state.images) if (!named.has(image.target)) store.nameless.add(image.target);
  for (const blob of state.held.blobs) holdBlob(store, blob);
  for (const key of state.held.snapshots) store.heldSnapshots.add(key);
  for (const container of state.containers) putContainer(store, container);
  return store;
}

/** Makes an image and all its content visible in the namespace. It lives as long as a name points to it. */
export function putImage(store: NamespaceStore, image: Image): void {
  store.images.set(image.target, image);
  for (const blob of image.blobs) store.blobs.set(blob.digest, blob);
  for (const snapshot of image.snapshots) store.snapshots.set(snapshot.key, snapshot);
  for (const digest of image.digests) {
    const targets = store.targetsByDigest.get(digest) ?? new Set();
    targets.add(image.target);
    store.targetsByDigest.set(digest, targets);
  }
}

/** Writes a name's record. */
export function putName(store: NamespaceStore, name: ImageName): void {
  store.names.set(name.name, name);
  store.nameless.delete(name.target);
  if (!store.images.has(name.target)) putImage(store, bareImage(name.target));
}

/** Adds or replaces a container; it holds the layer snapshots of the images it runs or mounts from now on. */
export function putContainer(store: NamespaceStore, container: Container): void {
  store.containers.set(container.id, container);
  store.containerSnapshots.set(container.id, snapshotsBelow(store, container));
}

export function dropContainer(store: NamespaceStore, id: string): boolean {
  store.containerSnapshots.delete(id);
  return store.containers.delete(id);
}

/** Frees everything in the namespace that no name, container or hold reaches. */
export function sweep(store: NamespaceStore): void {
  const reachable = reach(store);
  dropOthers(store.blobs, reachable.blobs);
  dropOthers(store.snapshots, reachable.snapshots);
  for (const image of store.images.values()) if (!reachable.images.has(image.target)) forget(store, image);
}

/** The namespace as an observer sees it. Images without a name are not seen, except those given without one. */
export function stateOf(store: NamespaceStore): NamespaceState {
  const visible = visibleImages(store);
  const pinned = pinnedTargets(store);
  const held = new Set([...store.heldSnapshots, ...[...store.containerSnapshots.values()].flat()]);
  return {
    name: store.name,
    names: [...store.names.values()],
    images: [...store.images.values()]
      .filter((image) => visible.has(image.target))
      .map((image) => (pinned.has(image.target) && !image.pinned ? { ...image, pinned: true } : image)),
    containers: [...store.containers.values()],
    held: { blobs: [...store.heldBlobs], snapshots: [...held] },
  };
}

/** The image of a target about which nothing else is known. */
export function bareImage(target: Digest): Image {
  return { target, id: target, digests: [target], pinned: false, blobs: [], snapshots: [] };
}

function reach(store: NamespaceStore): Reachable {
  const images = visibleImages(store);
  const blobs = new Set(store.heldBlobs);
  const snapshots = new Set<string>();
  for (const target of images) {
    const image = store.images.get(target);
    for (const blob of image?.blobs ?? []) blobs.add(blob.digest);
    for (const snapshot of image?.snapshots ?? []) addWithParents(store, snapshot.key, snapshots);
  }
  for (const key of store.heldSnapshots) addWithParents(store, key, snapshots);
  for (const keys of store.containerSnapshots.values()) for (const key of keys) addWithParents(store, key, snapshots);
  return { images, blobs, snapshots };
}

function visibleImages(store: NamespaceStore): Set<Digest> {
  const targets = new Set(store.nameless);
  for (const name of store.names.values()) targets.add(name.target);
  return targets;
}

function pinnedTargets(store: NamespaceStore): Set<Digest> {
  const targets = new Set<Digest>();
  for (const name of store.names.values()) {
    if (name.labels["io.cri-containerd.pinned"] === "pinned") targets.add(name.target);
  }
  return targets;
}

function snapshotsBelow(store: NamespaceStore, container: Container): readonly string[] {
  const keys = new Set<string>();
  if (store.snapshots.has(container.snapshotKey)) addWithParents(store, container.snapshotKey, keys);
  const mentioned = [container.imageId, ...container.otherImageIds, ...container.imageMounts];
  const targets = mentioned.flatMap((text) => targetsMeant(store, text));
  for (const target of targets.length > 0 ? targets : targetsMeant(store, container.image)) {
    for (const snapshot of store.images.get(target)?.snapshots ?? []) keys.add(snapshot.key);
  }
  return [...keys];
}

/** The targets of the images that a digest (alone, without its algorithm, or behind a name) or a stored name means. */
function targetsMeant(store: NamespaceStore, text: string): readonly Digest[] {
  const named = store.names.get(text);
  if (named !== undefined) return [named.target];
  const last = text.slice(text.lastIndexOf("@") + 1);
  const digest = toDigest(last) ?? toDigest(`sha256:${last}`);
  return digest === undefined ? [] : [...(store.targetsByDigest.get(digest) ?? [])];
}

function addWithParents(store: NamespaceStore, key: string, into: Set<string>): void {
  let next: string | undefined = key;
  while (next !== undefined && !into.has(next)) {
    into.add(next);
    next = store.snapshots.get(next)?.parent;
  }
}

function holdBlob(store: NamespaceStore, digest: Digest): void {
  store.heldBlobs.add(digest);
  // Nobody recorded how large a blob is that no image names; it exists all the same.
  if (!store.blobs.has(digest)) store.blobs.set(digest, { digest, size: 0 });
}

function forget(store: NamespaceStore, image: Image): void {
  store.images.delete(image.target);
  for (const digest of image.digests) {
    const targets = store.targetsByDigest.get(digest);
    targets?.delete(image.target);
    if (targets?.size === 0) store.targetsByDigest.delete(digest);
  }
}

function dropOthers<Key>(map: Map<Key, unknown>, kept: ReadonlySet<Key>): void {
  for (const key of map.keys()) if (!kept.has(key)) map.delete(key);
}
