// The filesystem below this process's own root. In a container the root is an overlay that the runtime made beside all its other
// layers: asking the kernel about `/` then answers for the filesystem of the images, without anything mounted from the host.
import { readFile, statfs } from "node:fs/promises";
import type { FilesystemUsage } from "./runtime.ts";

/** The look at a directory's filesystem that the kernel gives. What is reserved for root counts as used, as the kubelet counts it. */
export async function usageOf(directory: string, path: string): Promise<FilesystemUsage> {
  const found = await statfs(directory);
  return {
    path,
    capacityBytes: found.blocks * found.bsize,
    usedBytes: (found.blocks - found.bavail) * found.bsize,
    inodes: found.files,
    inodesUsed: found.files - found.ffree,
  };
}

/**
 * The filesystem of that one of the runtime's folders in which the writable layer of the own root lies. Undefined when it lies
 * in none of them, or when the root is no overlay: then the own root tells nothing about the images.
 */
export async function ownRootUsage(
  folders: readonly string[],
  mountTable = "/proc/self/mountinfo",
): Promise<FilesystemUsage | undefined> {
  try {
    const upper = upperFolderOfRoot(await readFile(mountTable, "utf8"));
    const folder = folders.find((candidate) => upper?.startsWith(`${candidate.replace(/\/$/, "")}/`));
    return folder === undefined ? undefined : await usageOf("/", folder);
  } catch {
    return undefined;
  }
}

/** The writable layer of the root, as a path of the host; undefined when the root is no overlay. See proc_pid_mountinfo(5). */
export function upperFolderOfRoot(mountinfo: string): string | undefined {
  const roots = mountinfo.split("\n").filter((line) => line.split(" ")[4] === "/");
  const [, type, , options = ""] = / - (\S+) (\S+) (\S+)/.exec(roots.at(-1) ?? "") ?? [];
  if (type !== "overlay") return undefined;
  const upper = /(?:^|,)upperdir=([^,]+)/.exec(options)?.[1];
  return upper?.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
