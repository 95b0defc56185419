// A small filesystem of its own for a daemon's data: a file that is mounted as a loop device.
import { spawnSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTempFolder } from "../temp.ts";
import type { Availability } from "./manifest.ts";

export type DiskKind = "ext4" | "xfs";

/** Makes a filesystem of `size` bytes and mounts it at `path`. The file lies beside it; whoever removes the folder unmounts it. */
export function mountSmallDisk(kind: DiskKind, { path, size }: { path: string; size: number }): void {
  const file = `${path}.img`;
  writeFileSync(file, "");
  truncateSync(file, size);
  mkdirSync(path, { recursive: true });
  run(`mkfs.${kind}`, ["-q", file]);
  // Unmounting frees the loop device as well.
  run("mount", ["-o", "loop", file, path]);
}

const known = new Map<DiskKind, Availability>();

/** Whether such filesystems can be made and mounted here; tried once. */
export function findSmallDisk(kind: DiskKind): Availability {
  const found = known.get(kind) ?? tryOut(kind);
  known.set(kind, found);
  return found;
}

function tryOut(kind: DiskKind): Availability {
  const folder = createTempFolder();
  const path = join(folder.path, "disk");
  try {
    mountSmallDisk(kind, { path, size: smallest });
    return { kind: "there", path };
  } catch (error) {
    return { kind: "missing", reason: error instanceof Error ? error.message : String(error) };
  } finally {
    folder.remove();
  }
}

/** XFS has no smaller ones. */
const smallest = 300 << 20;

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`);
}
