// How full the filesystems are that hold images, as far as the daemon's directories can be seen from here.
import { stat } from "node:fs/promises";
import { usageOf } from "./own-root.ts";
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

/** Asks the kernel. */
export async function probeFilesystem(path: string): Promise<ProbedFilesystem | undefined> {
  try {
    const [{ dev }, usage] = await Promise.all([stat(path), usageOf(path, path)]);
    return { device: dev, usage };
  } catch {
    // Inside a container the daemon's directories may not be mounted: then their fill level is unknown, not zero.
    return undefined;
  }
}
