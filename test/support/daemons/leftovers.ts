// Clears away what an earlier test run left when it was killed: daemons, shims, containers, mounts, folders.
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeFolder, tempFolderOwner } from "../temp.ts";
import { clearCgroup } from "./cgroups.ts";
import { allProcesses, killAndWait } from "./processes.ts";

/** Looks for temporary folders whose owner is gone, ends what still works in them, and removes them. */
export function clearLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = tempFolderOwner(name);
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) clearAway(name);
  }
}

function clearAway(name: string): void {
  const folder = join(tmpdir(), name);
  const workers = allProcesses().filter(({ args }) => args.some((argument) => argument.startsWith(`${folder}/`)));
  killAndWait(workers.map(({ pid }) => pid));
  clearCgroup(name);
  removeFolder(folder);
}
