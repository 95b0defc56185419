// The private cgroup of a test daemon: everything that runs in its containers is found, ended and cleared away by it.
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killAndWait, pauseThread } from "./processes.ts";

const mountPoint = "/sys/fs/cgroup";

/** Folders of the cgroup `name` (a path without leading slash): one per controller with cgroup v1, one with v2. */
export function cgroupFolders(name: string): readonly string[] {
  const hierarchies = readdirSync(mountPoint, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const candidates = [mountPoint, ...hierarchies.map((entry) => join(mountPoint, entry.name))];
  return candidates.map((hierarchy) => join(hierarchy, name)).filter((folder) => existsSync(folder));
}

/** Kills every process of a cgroup and below, and removes the cgroup. Synchronous: works at process exit. */
export function clearCgroup(name: string): void {
  const folders = cgroupFolders(name).flatMap(withSubfolders);
  for (const folder of folders) thaw(folder);
  killAndWait([...new Set(folders.flatMap(processesOf))]);
  for (const folder of folders) removeFolder(folder);
}

/** A paused container is frozen, and what is frozen does not die before it is thawed (cgroup v1). */
function thaw(folder: string): void {
  const freezer = join(folder, "freezer.state");
  if (existsSync(freezer)) writeFileSync(freezer, "THAWED");
}

/** Deepest first. */
function withSubfolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...below.flatMap((entry) => withSubfolders(join(folder, entry.name))), folder];
}

function processesOf(folder: string): readonly number[] {
  const file = join(folder, "cgroup.procs");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number) : [];
}

/** The kernel answers "busy" for a moment after the last process ended. */
function removeFolder(folder: string): void {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      rmdirSync(folder);
      return;
    } catch {
      if (!existsSync(folder)) return;
      pauseThread(25);
    }
  }
}
