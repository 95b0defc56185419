// Small filesystems in memory, for disks that are full or must not be written.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A filesystem of 64 KiB in memory; it goes away with the folder around it. */
export function mountSmall(parent: string, folder: string, mode: "ro" | "rw"): string {
  const path = join(parent, folder);
  mkdirSync(path);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=64k,${mode}`, "tmpfs", path], { encoding: "utf8" });
  if (mount.status !== 0) throw new Error(`cannot mount ${path}: ${mount.stderr}`);
  return path;
}

/** Writes until nothing more can be written. */
export function fillUp(folder: string): void {
  for (let i = 0; i < 100; i++) {
    try {
      writeFileSync(join(folder, `filler-${i}`), Buffer.alloc(4096));
    } catch {
      return;
    }
  }
}

/** Takes away what `fillUp` wrote. */
export function makeRoom(folder: string): void {
  for (let i = 0; i < 100; i++) rmSync(join(folder, `filler-${i}`), { force: true });
}
