// Temporary folders that go away with whatever is mounted below them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempFolder {
  readonly path: string;
  /** Unmounts what is mounted below and removes the folder. May be called more than once. */
  remove(): void;
}

/** Names carry the owner's process id, so that others can tell what a dead process left. */
const namePattern = /^prunelet-(\d+)-/;

/** A new empty folder with a short path (unix sockets in it must stay below 108 bytes). */
export function createTempFolder(): TempFolder {
  const path = mkdtempSync(join(tmpdir(), `prunelet-${process.pid}-`));
  return { path, remove: () => removeFolder(path) };
}

/** The id of the process that made the temporary folder of this name; undefined when the name is not one of ours. */
export function tempFolderOwner(name: string): number | undefined {
  const owner = namePattern.exec(name)?.[1];
  return owner === undefined ? undefined : Number(owner);
}

/** Mount points at or below a folder, the deepest and latest first. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => unescapeOctal(line.split(" ")[1] ?? ""))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

/** Unmounts what is mounted at or below a folder and removes it. */
export function removeFolder(path: string): void {
  for (const point of mountsBelow(path)) unmount(point);
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

function unmount(point: string): void {
  const plain = spawnSync("umount", [point], { stdio: "ignore" });
  // A mount that something still holds is detached: it vanishes with its last user.
  if (plain.status !== 0) spawnSync("umount", ["-l", point], { stdio: "ignore" });
}

/** /proc/mounts writes blanks and backslashes as octal escapes. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
