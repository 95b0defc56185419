// The small state file: when things were seen first and used last, kept across restarts. Written atomically, never trusted blindly.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { firstSight, type History, type NamespaceHistory, type Sighting } from "../decide/history.ts";
import type { Digest } from "../image/digest.ts";

/** The state file cannot be used. The message names the cause and the mend. */
export class HistoryFileError extends Error {
  override readonly name = "HistoryFileError";
  readonly kind: "corrupt" | "unreadable" | "unwritable";

  constructor(kind: HistoryFileError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

const sighting = z.tuple([z.number(), z.number()]);
const sightings = z.record(z.string(), sighting);
const fileSchema = z.object({
  version: z.literal(1),
  namespaces: z.record(z.string(), z.object({ images: sightings, names: sightings })),
});

type HistoryDocument = z.infer<typeof fileSchema>;

/** The history as plain data: what the state file holds, and what a node file carries along. */
export function toHistoryDocument(history: History): HistoryDocument {
  const plain = (map: ReadonlyMap<string, Sighting>) =>
    Object.fromEntries(
      [...map].map(([key, { firstSeen, lastUsed }]) => [key, [firstSeen, lastUsed] as [number, number]]),
    );
  const namespaces = [...history.namespaces].map(([name, { images, names }]) => [
    name,
    { images: plain(images), names: plain(names) },
  ]);
  return { version: 1, namespaces: Object.fromEntries(namespaces) };
}

/** The history that plain data describes, or undefined when it is no history. */
export function fromHistoryDocument(document: unknown, unknown: History["unknown"]): History | undefined {
  const result = fileSchema.safeParse(document);
  if (!result.success) return undefined;
  const live = <Key extends string>(record: z.infer<typeof sightings>): Map<Key, Sighting> =>
    new Map(
      Object.entries(record).map(([key, [firstSeen, lastUsed]]) => [
        key as Key,
        { ...firstSight(firstSeen), lastUsed },
      ]),
    );
  const namespaces = Object.entries(result.data.namespaces).map(
    ([name, { images, names }]): [string, NamespaceHistory] => [
      name,
      { images: live<Digest>(images), names: live(names) },
    ],
  );
  return { namespaces: new Map(namespaces), unknown };
}

/** Reads the state file; undefined when there is none yet. Throws `HistoryFileError`. */
export function readHistoryFile(path: string): History | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const message = `cannot read the state file ${path} (${codeOf(error)}): check the path and its permissions`;
    throw new HistoryFileError("unreadable", message, error);
  }
  const history = fromHistoryDocument(parseJson(text), "just-used");
  if (history !== undefined) return history;
  const message = `the state file ${path} is corrupt: move it away to start anew (everything then counts as just used)`;
  throw new HistoryFileError("corrupt", message);
}

/** Moves a corrupt state file aside, so that nothing is lost, and returns its new path. */
export function setAside(path: string, now: number): string {
  const aside = `${path}.corrupt-${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    throw unwritable(path, error);
  }
  return aside;
}

/** Writes the state file: a new file first, then a rename, so that a crash leaves the old or the new one. Throws `HistoryFileError`. */
export function writeHistoryFile(path: string, history: History): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, JSON.stringify(toHistoryDocument(history)), { flush: true, mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    removeDraft(draft);
    throw unwritable(path, error);
  }
}

/** Never hides the error for which the draft is removed: where a folder is missing, even looking for the draft fails. */
function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // The error that led here says what is wrong.
  }
}

const mends: Readonly<Record<string, string>> = {
  ENOSPC: "free space on its filesystem",
  EROFS: "its filesystem is read-only: mount a writable folder there or set stateFile to another path",
  EACCES: "give prunelet write access to its folder or set stateFile to another path",
  EPERM: "give prunelet write access to its folder or set stateFile to another path",
  EEXIST: "a part of its path is no folder: set stateFile to another path",
  ENOTDIR: "a part of its path is no folder: set stateFile to another path",
};

function unwritable(path: string, error: unknown): HistoryFileError {
  const code = codeOf(error);
  const mend = mends[code] ?? "check the path";
  return new HistoryFileError("unwritable", `cannot write the state file ${path} (${code}): ${mend}`, error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
