// The audit file: lines are appended and on disk before anybody goes on; it rotates by size, and a full disk never stops a removal.
import { constants, type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../observe/make-folder.ts";
import { rotateIfFull } from "./audit-rotation.ts";

/** Where lines go. May change while the program runs. */
export interface AuditFileSettings {
  /** Path; empty when nothing is to be written. */
  readonly file: string;
  /** Bytes after which the file is put aside and a new one begins. */
  readonly maxSize: number;
  /** How many files that were put aside are kept. */
  readonly keep: number;
}

/** What an operator should know about the file. */
export type AuditTrouble =
  | { readonly kind: "failed"; readonly message: string; readonly first: boolean }
  | { readonly kind: "mended"; readonly lost: number };

export interface AuditFileInput {
  readonly settings: () => AuditFileSettings;
  /** Called for every attempt that fails, and when the file can be written again. Must not throw. */
  readonly onTrouble: (trouble: AuditTrouble) => void;
  /** The line that stands for `lines` lines that could not be kept. */
  readonly lostLine: (lines: number) => string;
}

/** Bytes of lines that wait in memory for a disk that takes nothing. The oldest make room for the newest. */
export const mostWaiting = 1024 ** 2;

/** Appends lines in the order in which they come. Several programs may append to the same file. */
export class AuditFile {
  readonly #input: AuditFileInput;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Lines that no line of the file stands for yet, and those of the whole time in which nothing could be written. */
  #lost = 0;
  #lostMeanwhile = 0;
  #failing = false;
  /** True while the file can be written but not put aside: it grows, and nothing of it is lost. */
  #stuck = false;
  #work: Promise<void> = Promise.resolve();

  constructor(input: AuditFileInput) {
    this.#input = input;
  }

  /** Resolves when the lines are on disk, or the attempt to write them has failed: then they wait for the next attempt. */
  append(lines: readonly string[]): Promise<void> {
    this.note(lines);
    return this.flush();
  }

  /** Keeps lines to be written with the next attempt. */
  note(lines: readonly string[]): void {
    if (this.#input.settings().file === "") return;
    for (const line of lines) this.#keep(`${line}\n`);
  }

  /** Tries to write what waits. Attempts never overlap; what comes meanwhile is written together by the next one. */
  flush(): Promise<void> {
    this.#work = this.#work.then(() => this.#attempt());
    return this.#work;
  }

  #keep(line: string): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    while (this.#waitingBytes > mostWaiting && this.#waiting.length > 1) {
      this.#waitingBytes -= this.#waiting.shift()?.length ?? 0;
      this.#lost += 1;
    }
  }

  async #attempt(): Promise<void> {
    const settings = this.#input.settings();
    if (this.#waiting.length === 0 || settings.file === "") return;
    try {
      await this.#write(settings.file);
    } catch (error) {
      this.#input.onTrouble({ kind: "failed", message: describe(settings.file, error), first: !this.#failing });
      this.#failing = true;
      return;
    }
    try {
      await rotateIfFull(settings);
      this.#stuck = false;
    } catch (error) {
      const message = `cannot put the full audit file aside, so it grows: ${messageOf(error)}`;
      this.#input.onTrouble({ kind: "failed", message, first: !this.#stuck });
      this.#stuck = true;
    }
  }

  async #write(path: string): Promise<void> {
    const handle = await openForAppending(path);
    try {
      // A line that a crash or a full disk has cut: the next one must not be glued to it.
      if (await endsInTheMiddle(handle)) await writeAll(handle, "\n");
      if (this.#lost > 0) await writeAll(handle, `${this.#input.lostLine(this.#lost)}\n`);
      this.#lostMeanwhile += this.#lost;
      this.#lost = 0;
      await this.#drain(handle);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    // Lines are lost to a disk that is slow, too.
    if (this.#failing || this.#lostMeanwhile > 0) this.#input.onTrouble({ kind: "mended", lost: this.#lostMeanwhile });
    this.#failing = false;
    this.#lostMeanwhile = 0;
  }

  /** Takes lines away only when they are written: what a full disk cuts in the middle is written again as a whole. */
  async #drain(handle: FileHandle): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, 256);
      const bytes = Buffer.from(batch.join(""));
      let written = 0;
      try {
        while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
      } finally {
        const whole = bytes.toString("utf8", 0, written).split("\n").length - 1;
        for (const line of this.#waiting.splice(0, whole)) this.#waitingBytes -= line.length;
      }
    }
  }
}

async function openForAppending(path: string): Promise<FileHandle> {
  await makeFolder(dirname(path));
  // Without O_NONBLOCK, opening a named pipe would wait for a reader for ever.
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
  const handle = await open(path, flags, 0o600);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error("it is no regular file");
}

async function endsInTheMiddle(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

async function writeAll(handle: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += (await handle.write(bytes, written)).bytesWritten;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const mends: Readonly<Record<string, string>> = {
  ENOSPC: "its disk is full",
  EDQUOT: "its disk quota is used up",
  EROFS: "its filesystem is read-only: mount a writable folder there or set audit.file to another path",
  EACCES: 'give prunelet write access to it, set audit.file to another path, or to "" for none',
  EPERM: 'give prunelet write access to it, set audit.file to another path, or to "" for none',
  EISDIR: "it is a folder: set audit.file to the path of a file",
  ENOTDIR: "a part of its path is no folder: set audit.file to another path",
  EEXIST: "a part of its path is no folder: set audit.file to another path",
};

function describe(path: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = mends[code] ?? messageOf(error);
  return `cannot write the audit file ${path}${code === "" ? "" : ` (${code})`}: ${why}`;
}
