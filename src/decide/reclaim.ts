// The bytes that a set of images really frees: what only they need. Shared content is counted when its last holder goes.
import type { Digest } from "../image/digest.ts";
import type { Image, NodeState } from "../image/node-state.ts";

/** Adds up what images hold, over all namespaces for blobs and per namespace for layer snapshots. */
export interface Reclaim {
  /** Bytes that removing this image alone would free. */
  alone(namespace: string, image: Image): number;
  /** Bytes that removing all of these images together frees. */
  together(images: readonly { readonly namespace: string; readonly image: Image }[]): number;
}

/**
 * Counts the holders of every blob and layer snapshot once. Blobs are one pool on disk: they go when no namespace needs
 * them any more. Snapshots belong to one namespace (spec: containerd-api, section 5). What containers, leases and running
 * pulls hold is never counted.
 */
export function measureReclaim(state: NodeState, images: readonly { namespace: string; image: Image }[]): Reclaim {
  const blobs = new Counter<Digest>();
  const snapshots = new Map<string, Counter<string>>();
  const snapshotsOf = (namespace: string): Counter<string> => {
    let counter = snapshots.get(namespace);
    if (counter === undefined) snapshots.set(namespace, (counter = new Counter()));
    return counter;
  };
  for (const digest of state.foreignBlobs) blobs.add(digest);
  for (const namespace of state.namespaces) {
    for (const digest of namespace.held.blobs) blobs.add(digest);
    for (const key of namespace.held.snapshots) snapshotsOf(namespace.name).add(key);
  }
  for (const { namespace, image } of images) {
    for (const blob of image.blobs) blobs.add(blob.digest);
    for (const snapshot of image.snapshots) snapshotsOf(namespace).add(snapshot.key);
  }

  return {
    alone: (namespace, image) => freedBy([{ namespace, image }], blobs, snapshotsOf),
    together: (removed) => freedBy(removed, blobs, snapshotsOf),
  };
}

function freedBy(
  removed: readonly { readonly namespace: string; readonly image: Image }[],
  blobs: Counter<Digest>,
  snapshotsOf: (namespace: string) => Counter<string>,
): number {
  const goneBlobs = new Counter<Digest>();
  const goneSnapshots = new Map<string, Counter<string>>();
  let bytes = 0;
  for (const { namespace, image } of removed) {
    for (const { digest, size } of image.blobs) if (goneBlobs.add(digest) === blobs.get(digest)) bytes += size;
    let gone = goneSnapshots.get(namespace);
    if (gone === undefined) goneSnapshots.set(namespace, (gone = new Counter()));
    const all = snapshotsOf(namespace);
    for (const { key, size } of image.snapshots) if (gone.add(key) === all.get(key)) bytes += size;
  }
  return bytes;
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
