// How full the filesystems are that hold images, as far as the daemon's directories can be seen from here.
import { stat, statfs } from "node:fs/promises";
import type { FilesystemUsage } from "./runtime.ts";

/** One filesystem and the number that tells it from others. */
export interface ProbedFilesystem {
  readonly device: number;
  readonly usage: FilesystemUsage;
}

/** Looks at the filesystem of a directory; undefined when the directory cannot be seen from here. */
export type FilesystemProbe = (path: string) => Promise<ProbedFilesystem | undefined>;

/** Each filesystem of `paths` once, in their order. */
export async function filesystemsOf(
  paths: readonly string[],
  probe: FilesystemProbe,
): Promise<readonly FilesystemUsage[]> {
  const byDevice = new Map<number, FilesystemUsage>();
  for (const path of paths) {
    const probed = await probe(path);
    if (probed && !byDevice.has(probed.device)) byDevice.set(probed.device, probed.usage);
  }
  return [...byDevice.values()];
}

/** Asks the kernel. What is reserved for root counts as used, as the kubelet counts it. */
export async function probeFilesystem(path: string): Promise<ProbedFilesystem | undefined> {
  try {
    const [{ dev }, found] = await Promise.all([stat(path), statfs(path)]);
    return {
      device: dev,
      usage: {
        path,
        capacityBytes: found.blocks * found.bsize,
        usedBytes: (found.blocks - found.bavail) * found.bsize,
        inodes: found.files,
        inodesUsed: found.files - found.ffree,
      },
    };
  } catch {
    // Inside a container the daemon's directories may not be mounted: then their fill level is unknown, not zero.
    return undefined;
  }
}
