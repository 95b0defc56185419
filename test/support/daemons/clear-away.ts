// Ends whatever works in a temporary folder and removes it: daemons, shims, containers, cgroups, mounts, sockets, files.
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { removeFolder, tempFolderOwner } from "../temp.ts";
import { clearCgroup } from "./cgroups.ts";
import { allProcesses, isRunning, killAndWait, type RunningProcess } from "./processes.ts";

/** Clears a temporary folder away by force. Its name is also the name of the private cgroup. */
export function clearAway(folder: string): void {
  const workers = allProcesses().filter(({ args }) => args.some((argument) => argument.startsWith(`${folder}/`)));
  killAndWait(workers.map(({ pid }) => pid));
  clearCgroup(basename(folder));
  for (const worker of workers.filter(isShim)) rmSync(shimSocket(worker), { force: true });
  removeFolder(folder);
}

/** Clears away the temporary folders of processes that are gone: of `owner`, and of those that were killed earlier. */
export function clearLeftovers(owner?: number): void {
  for (const name of readdirSync(tmpdir())) {
    const itsOwner = tempFolderOwner(name);
    if (itsOwner === undefined) continue;
    if (itsOwner === owner || !isRunning(itsOwner)) clearAway(join(tmpdir(), name));
  }
}

/** True for containerd's shims, which listen in one folder for all daemons of the machine. */
export function isShim({ args }: RunningProcess): boolean {
  return args.includes("-address") && args.includes("-namespace") && args.includes("-id");
}

/** Where a shim listens; killed, it leaves the socket behind. The name: the hash of address, namespace and ID (containerd, shim's util_unix.go). */
export function shimSocket({ args }: RunningProcess): string {
  const after = (flag: string) => args[args.indexOf(flag) + 1] ?? "";
  const path = join(after("-address"), after("-namespace"), after("-id"));
  return join("/run/containerd/s", createHash("sha256").update(path).digest("hex"));
}
