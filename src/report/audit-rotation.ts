// Rotation of the audit file: `audit.jsonl` becomes `audit.jsonl.1`, that becomes `.2`, and the oldest goes.
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

export interface RotationSettings {
  readonly file: string;
  readonly maxSize: number;
  readonly keep: number;
}

/** Milliseconds after which a lock counts as left behind by a program that was killed. */
const lockLife = 60_000;

/** Puts the file aside when it is full. Does nothing while another program does the same. */
export async function rotateIfFull({ file, maxSize, keep }: RotationSettings): Promise<void> {
  if ((await sizeOf(file)) < maxSize) return;
  const lock = `${file}.lock`;
  if (!(await takeLock(lock))) return;
  try {
    // Somebody else may have done it between the look and the lock.
    if ((await sizeOf(file)) >= maxSize) await shift(file, keep);
  } finally {
    await rm(lock, { force: true });
  }
}

/** The audit files there are, the newest first. */
export async function auditFiles(file: string): Promise<readonly string[]> {
  const rotated = await rotatedNumbers(file);
  const current = (await sizeOf(file)) < 0 ? [] : [file];
  return [...current, ...rotated.map((number) => `${file}.${number}`)];
}

async function shift(file: string, keep: number): Promise<void> {
  for (const number of (await rotatedNumbers(file)).toReversed()) {
    if (number >= keep) await rm(`${file}.${number}`, { force: true });
    else await rename(`${file}.${number}`, `${file}.${number + 1}`);
  }
  if (keep === 0) await rm(file, { force: true });
  else await rename(file, `${file}.1`);
}

/** The numbers of the files that were put aside, ascending. */
async function rotatedNumbers(file: string): Promise<number[]> {
  const name = basename(file);
  const found = await readdir(dirname(file)).catch(() => []);
  return found
    .filter((entry) => entry.startsWith(`${name}.`))
    .map((entry) => entry.slice(name.length + 1))
    .filter((end) => /^[1-9]\d*$/.test(end))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Bytes; -1 when there is no such file. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return -1;
    throw error;
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx", 0o600)).close();
    return true;
  } catch {
    const found = await stat(lock).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > lockLife) await rm(lock, { force: true });
    return false;
  }
}
