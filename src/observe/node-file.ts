// Node files: what was seen of a node as one JSON file, for bug reports and what-if questions.
import { constants } from "node:fs";
import { lstat, open, realpath, rename, stat, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Instant, NodeState } from "../image/node-state.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";
import { fileFromState, stateFromFile } from "./node-file-convert.ts";
import { allowedText, NodeFileError, problemsText } from "./node-file-error.ts";
import { nodeFileSchema } from "./node-file-schema.ts";

/** A node file's content. `history` is whatever was remembered with it, unchecked. */
export interface NodeFileContent {
  readonly state: NodeState;
  readonly history?: unknown;
  /** How full the filesystems were that hold images. Default: not known. */
  readonly filesystems?: readonly FilesystemUsage[];
}

export interface NodeFileReading {
  /** Stands in for `takenAt` where the file has none. */
  readonly now: Instant;
  /** What the text is called in errors. Default `node file`. */
  readonly source?: string;
}

/** Bytes. Larger files are refused: no text of that size can be held anyway. */
const largestFile = 512 * 1024 ** 2;
/** Characters. Longer files are written without indentation. */
const longestPretty = 1024 ** 2;
const tooLarge = "larger than 512 MiB; capture the node with fewer namespaces";
const mend = 'correct it or capture the node again with "prunelet snapshot"';

/** The content of a node file's text. Throws `NodeFileError` that lists what is wrong, at most five problems. */
export function parseNodeFile(text: string, { now, source = "node file" }: NodeFileReading): NodeFileContent {
  const value = parseJson(text.replace(/^\uFEFF/, ""), source);
  const parsed = nodeFileSchema.safeParse(value, { error: allowedText });
  if (!parsed.success) throw new NodeFileError(`${source}: ${problemsText(value, parsed.error.issues)}; ${mend}`);
  const state = stateFromFile(parsed.data, now);
  const { history, filesystems } = parsed.data;
  return { state, ...(history === undefined ? {} : { history }), ...(filesystems ? { filesystems } : {}) };
}

/** Reads a node file. Throws `NodeFileError`, also when there is no such file, it is not a file, or it is larger than 512 MiB. */
export async function readNodeFile(path: string, { now }: Pick<NodeFileReading, "now">): Promise<NodeFileContent> {
  const source = `node file ${path}`;
  const bytes = await readWhole(path, source);
  return parseNodeFile(decoded(bytes, source), { now, source });
}

/** The text of a node file: fields in a fixed order, indented unless it is long. `parseNodeFile` gives the same state back. */
export function formatNodeFile(state: NodeState, history?: unknown, filesystems?: readonly FilesystemUsage[]): string {
  const value = { ...fileFromState(state), filesystems, history };
  const compact = JSON.stringify(value);
  return `${compact.length > longestPretty ? compact : JSON.stringify(value, null, 2)}\n`;
}

/** Writes a node file in one step: readers see the old file or the whole new one. Throws `NodeFileError`. */
export async function writeNodeFile(path: string, ...content: Parameters<typeof formatNodeFile>): Promise<void> {
  try {
    await writeInOneStep(path, formatNodeFile(...content));
  } catch (cause) {
    throw notWritten(path, cause, { atTheEnd: true });
  }
}

/** Tries whether a node file could be written there. Throws `NodeFileError` when not; a file that is there stays as it is. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const found = await stat(target).catch(() => undefined);
    // A device or a pipe may have effects when it is opened. A directory fails as it would at the end.
    if (found !== undefined && !found.isFile() && !found.isDirectory()) return;
    if (found?.isDirectory()) return await (await open(target, "a")).close();
    const temporary = temporaryFor(target);
    await writeAnew(temporary, "");
    await unlink(temporary);
  } catch (cause) {
    throw notWritten(path, cause);
  }
}

function notWritten(path: string, cause: unknown, when?: { readonly atTheEnd: boolean }): NodeFileError {
  return new NodeFileError(`node file ${path}: cannot be written: ${writeProblem(cause, path)}`, cause, when);
}

/** The file that takes the place of another one when it is whole. */
function temporaryFor(target: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
}

function decoded(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    // Just below the limit the engine may still find the text too long for one string.
    const invalid = codeOf(cause) === "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw new NodeFileError(
      `${source}: ${invalid ? `not JSON: the bytes are not UTF-8 text; ${mend}` : tooLarge}`,
      cause,
    );
  }
}

function parseJson(text: string, source: string): unknown {
  if (text.trim() === "") throw new NodeFileError(`${source}: the file is empty; ${mend}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NodeFileError(`${source}: not JSON: ${syntaxProblem(cause, text)}; ${mend}`, cause);
  }
}

function syntaxProblem(cause: unknown, text: string): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const truncated = /end of JSON input|Unterminated string/.test(message) || position >= text.trimEnd().length;
  return truncated ? `the text ends in the middle after ${text.length} characters (truncated?)` : message;
}

async function readWhole(path: string, source: string): Promise<Uint8Array> {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw new NodeFileError(`${source}: is a directory; give a JSON file`);
      if (!found.isFile()) throw new NodeFileError(`${source}: is not a regular file; give a JSON file`);
      if (found.size > largestFile) throw new NodeFileError(`${source}: ${tooLarge}`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof NodeFileError) throw cause;
    throw new NodeFileError(`${source}: cannot be read: ${readProblem(cause)}`, cause);
  }
}

async function writeInOneStep(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => undefined);
  // A device or a pipe (/dev/stdout) is written to, never replaced; a directory fails here with EISDIR.
  if (found !== undefined && !found.isFile()) return writeFile(target, text);
  const temporary = temporaryFor(target);
  try {
    await writeAnew(temporary, text);
    await rename(temporary, target);
  } catch (cause) {
    await lstat(temporary)
      .then(() => unlink(temporary))
      .catch(() => {});
    throw cause;
  }
}

/** Never through a link that somebody put there: in a folder for all, root would write over whatever it leads to. */
async function writeAnew(temporary: string, text: string): Promise<void> {
  await unlink(temporary).catch(() => {});
  await writeFile(temporary, text, { flag: "wx", flush: true });
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

function readProblem(cause: unknown): string {
  const code = codeOf(cause);
  if (code === "ENOENT") return "there is no such file; check the path";
  if (code === "EACCES" || code === "EPERM") return "permission denied; give read permission";
  return cause instanceof Error ? cause.message : String(cause);
}

const writeProblems: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space or write elsewhere",
  EDQUOT: "the disk quota is used up; free some space or write elsewhere",
  EROFS: "the filesystem is read-only; write elsewhere",
  EACCES: "permission denied; give write permission for the folder or write elsewhere",
  EPERM: "permission denied; give write permission for the folder or write elsewhere",
  EISDIR: "it is a directory; give the path of a file",
};

function writeProblem(cause: unknown, path: string): string {
  const code = codeOf(cause) ?? "";
  if (code === "ENOENT" || code === "ENOTDIR") return `there is no folder ${dirname(path)}; make it or write elsewhere`;
  return writeProblems[code] ?? (cause instanceof Error ? cause.message : String(cause));
}
