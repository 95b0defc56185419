// Makes a folder and those above it. Node's own recursive mkdir loops for ever where a folder cannot be made although the one above it
// is there and no permission is missing, as below /proc: it takes "no such file" for a missing parent each time.
import { existsSync, mkdirSync } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Throws what the first folder that cannot be made throws. */
export function makeFolderNow(path: string): void {
  if (existsSync(path)) return;
  makeFolderNow(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    ignoreExisting(error);
  }
}

/** The same for a disk that may hang. */
export async function makeFolder(path: string): Promise<void> {
  if (await isThere(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch(ignoreExisting);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Somebody else was faster. */
function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
