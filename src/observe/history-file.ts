// The small state file: what is remembered of the node across restarts. Written in one step, never trusted blindly.
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { History } from "../decide/history.ts";
import { fromHistoryDocument, historyVersion, toHistoryDocument } from "./history-document.ts";
import { makeFolderNow } from "./make-folder.ts";

/** The state file cannot be used. The message names the cause and the mend. */
export class HistoryFileError extends Error {
  override readonly name = "HistoryFileError";
  /** `newer`: a later version of prunelet wrote it. */
  readonly kind: "corrupt" | "newer" | "unreadable" | "unwritable";

  constructor(kind: HistoryFileError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** Bytes. What is larger is no state file: 5,000 images take three million. */
const largest = 64 * 1024 ** 2;

/** Reads the state file; undefined when there is none yet. Throws `HistoryFileError`. */
export function readHistoryFile(path: string): History | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const found = parseHistory(text);
  if (found === "newer") {
    const message = `the state file ${path} was written by a newer version of prunelet: use that one, or move the file away to start anew (everything then counts as just used)`;
    throw new HistoryFileError("newer", message);
  }
  if (found !== undefined) return found;
  const message = `the state file ${path} is corrupt: move it away to start anew (everything then counts as just used)`;
  throw new HistoryFileError("corrupt", message);
}

// The text that is checked by the sum stands last, so that it can be checked as it is.
const frame = new RegExp(`^\\{"version":${historyVersion},"sha256":"([0-9a-f]{64})","history":([^]*)\\}\\n$`);

/** The file's text. A flipped bit could make an image look unused for years: a sum tells. */
export function formatHistory(history: History): string {
  const body = JSON.stringify(toHistoryDocument(history));
  return `{"version":${historyVersion},"sha256":"${sumOf(body)}","history":${body}}\n`;
}

/** The history that a file's text describes; `newer` when a later version wrote it, undefined when it is none. */
export function parseHistory(text: string): History | "newer" | undefined {
  const [, sum, body = ""] = frame.exec(text) ?? [];
  if (sum !== undefined) return sum === sumOf(body) ? fromHistoryDocument(parseJson(body), "just-used") : undefined;
  const document = parseJson(text);
  const version = versionOf(document);
  if (version !== undefined && version > historyVersion) return "newer";
  return version === 1 ? fromHistoryDocument(document, "just-used") : undefined;
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function versionOf(document: unknown): number | undefined {
  if (typeof document !== "object" || document === null || !("version" in document)) return undefined;
  return Number.isInteger(document.version) ? (document.version as number) : undefined;
}

function readText(path: string): string | undefined {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = fstatSync(file);
      if (!found.isFile()) throw unreadable(path, found.isDirectory() ? "EISDIR" : "it is no regular file");
      // Cut to nothing, so that it counts as corrupt and nobody reads it.
      return found.size > largest ? "" : readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof HistoryFileError) throw error;
    if (codeOf(error) === "ENOENT") return undefined;
    throw unreadable(path, codeOf(error), error);
  }
}

function unreadable(path: string, why: string, cause?: unknown): HistoryFileError {
  const message = `cannot read the state file ${path} (${why}): check the path and its permissions`;
  return new HistoryFileError("unreadable", message, cause);
}

/**
 * Moves a state file that cannot be used aside, so that nothing is lost, and returns its new path. Throws `HistoryFileError`,
 * also when it is no regular file: then somebody meant something else.
 */
export function setAside(path: string, why: "corrupt" | "unreadable", now: number): string {
  const aside = `${path}.${why}-${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}`;
  try {
    if (!lstatSync(path).isFile()) throw new Error("it is no regular file");
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
    makeFolderNow(dirname(path));
    // A draft that a crash left has to go, and one that is a link must not lead the writing elsewhere.
    removeDraft(draft);
    writeFileSync(draft, formatHistory(history), { flag: "wx", flush: true, mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    removeDraft(draft);
    throw unwritable(path, error);
  }
  syncFolder(dirname(path));
}

/** Makes the rename outlive a loss of power. Where that cannot be had, the file is whole all the same. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Some file systems know no sync of folders.
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
