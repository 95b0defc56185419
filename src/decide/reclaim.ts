// The bytes that a set of images really frees: what only they need. Shared content is counted when its last holder goes.
import type { Digest } from "../image/digest.ts";
import type { Image, NodeState } from "../image/node-state.ts";

/** An image and the namespace that holds it. */
export interface NamespacedImage {
  readonly namespace: string;
  readonly image: Image;
}

/** Adds up what images hold, over all namespaces for blobs and per namespace for layer snapshots. */
export interface Reclaim {
  /** Bytes that removing this image alone would free. */
  alone(namespace: string, image: Image): number;
  /** Bytes that removing all of these images together frees. */
  together(images: readonly NamespacedImage[]): number;
}

/**
 * Counts the holders of every blob and layer snapshot once. Blobs are one pool on disk: they go when no namespace needs
 * them any more. Snapshots belong to one namespace (spec: containerd-api, section 5). What containers, leases and running
 * pulls hold is never counted.
 */
export function measureReclaim(state: NodeState, images: readonly NamespacedImage[]): Reclaim {
  const holders = new Tally();
  for (const digest of state.foreignBlobs) holders.blobs.add(digest);
  for (const namespace of state.namespaces) {
    for (const digest of namespace.held.blobs) holders.blobs.add(digest);
    for (const key of namespace.held.snapshots) holders.snapshotsOf(namespace.name).add(key);
  }
  for (const { namespace, image } of images) {
    for (const blob of image.blobs) holders.blobs.add(blob.digest);
    for (const snapshot of image.snapshots) holders.snapshotsOf(namespace).add(snapshot.key);
  }

  return {
    alone: (namespace, image) => freedBy([{ namespace, image }], holders),
    together: (removed) => freedBy(removed, holders),
  };
}

/** Content is freed at the moment when as many holders are gone as it had. */
function freedBy(removed: readonly NamespacedImage[], holders: Tally): number {
  const gone = new Tally();
  let bytes = 0;
  for (const { namespace, image } of removed) {
    for (const { digest, size } of image.blobs) {
      if (gone.blobs.add(digest) === holders.blobs.get(digest)) bytes += size;
    }
    const goneHere = gone.snapshotsOf(namespace);
    const held = holders.snapshotsOf(namespace);
    for (const { key, size } of image.snapshots) if (goneHere.add(key) === held.get(key)) bytes += size;
  }
  return bytes;
}

/** How many holders each blob (of the node) and each layer snapshot (of a namespace) has. */
class Tally {
  readonly blobs = new Counter<Digest>();
  readonly #snapshots = new Map<string, Counter<string>>();

  snapshotsOf(namespace: string): Counter<string> {
    const known = this.#snapshots.get(namespace);
    if (known !== undefined) return known;
    const counter = new Counter<string>();
    this.#snapshots.set(namespace, counter);
    return counter;
  }
}

class Counter<Key> {
  readonly #counts = new Map<Key, number>();

  add(key: Key): number {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }

  get(key: Key): number {
    return this.#counts.get(key) ?? 0;
  }
}
