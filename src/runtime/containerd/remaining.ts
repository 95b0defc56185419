// What still exists of a list of blobs and snapshots.
import type { Content } from "../runtime.ts";
import { forEachBlob, forEachSnapshot, keyOf, type Reading } from "./read-inventory.ts";

/** A blob exists as long as any namespace sees it, because all share one pool on disk; a snapshot belongs to one namespace. */
export async function remainingOf(reading: Reading, asked: Content, namespaces: readonly string[]): Promise<Content> {
  const blobs = new Set<string>();
  const snapshots = new Set<string>();
  if (asked.blobs.length > 0) {
    const wanted = new Set<string>(asked.blobs);
    for (const namespace of namespaces) {
      await forEachBlob({ ...reading, namespace }, ({ digest }) => wanted.has(digest) && blobs.add(digest));
    }
  }
  for (const snapshotter of new Set(asked.snapshots.map((key) => key.slice(0, key.indexOf("/"))))) {
    await forEachSnapshot(reading, { snapshotter, filters: [] }, ({ name }) => snapshots.add(keyOf(snapshotter, name)));
  }
  return {
    blobs: asked.blobs.filter((digest) => blobs.has(digest)),
    snapshots: asked.snapshots.filter((key) => snapshots.has(key)),
  };
}
