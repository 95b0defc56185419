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

/** Milliseconds for the kernel to answer: a filesystem of another machine may hang. */
const patience = 10_000;

/** Asks the kernel. What it does not answer in time cannot be seen. */
export const probeFilesystem = patientProbe(askKernel, patience);

/** A probe that gives up, and that asks nothing twice while no answer came: each question occupies a thread. */
export function patientProbe(ask: FilesystemProbe, patienceMs: number): FilesystemProbe {
  const open = new Map<string, Promise<ProbedFilesystem | undefined>>();
  return async (path) => {
    const asked = open.get(path) ?? ask(path).finally(() => open.delete(path));
    open.set(path, asked);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceMs);
    });
    return await Promise.race([asked, late]).finally(() => clearTimeout(timer));
  };
}

async function askKernel(path: string): Promise<ProbedFilesystem | undefined> {
  try {
    const [{ dev }, usage] = await Promise.all([stat(path), usageOf(path, path)]);
    return { device: dev, usage };
  } catch {
    // Inside a container the daemon's directories may not be mounted: then their fill level is unknown, not zero.
    return undefined;
  }
}
