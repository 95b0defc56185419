// What a containerd's content and layers really take on disk, counted like `du` counts.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Containerd } from "./daemons/containerd.ts";

export interface DiskUse {
  /** Allocated blocks, in bytes. */
  readonly bytes: number;
  /** Files, links and folders. */
  readonly entries: number;
}

/** Content blobs and snapshots; databases and locks grow for reasons of their own. */
export function diskUse({ root, snapshotter }: Containerd): DiskUse {
  const folders = ["io.containerd.content.v1.content/blobs", `io.containerd.snapshotter.v1.${snapshotter}/snapshots`];
  return folders.map((folder) => usedBelow(join(root, folder))).reduce(plus);
}

/** What is gone since `before`. */
export function lost(before: DiskUse, after: DiskUse): DiskUse {
  return { bytes: before.bytes - after.bytes, entries: before.entries - after.entries };
}

function usedBelow(path: string): DiskUse {
  try {
    const stat = lstatSync(path);
    const own = { bytes: stat.blocks * 512, entries: 1 };
    if (!stat.isDirectory()) return own;
    return readdirSync(path)
      .map((name) => usedBelow(join(path, name)))
      .reduce(plus, own);
  } catch {
    // The daemon removes files while we look.
    return { bytes: 0, entries: 0 };
  }
}

function plus(one: DiskUse, other: DiskUse): DiskUse {
  return { bytes: one.bytes + other.bytes, entries: one.entries + other.entries };
}
