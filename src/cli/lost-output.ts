// What happens when stdout or stderr cannot be written: a reader that went away (`| head`), or a full disk behind `>`.
// The work goes on all the same: a removal that was begun is not left halfway because nobody reads its report.
import { fstatSync, writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { exitCode } from "./exit.ts";

/** What a shell shows for a program that SIGPIPE has ended: 128 and the number of the signal. */
const brokenPipe = 141;

/** The parts of the process that are listened to. */
interface Outputs {
  readonly stdout: Writable & { readonly fd?: number };
  readonly stderr: Writable & { readonly fd?: number };
  exitCode?: number | string | null | undefined;
  once(event: "exit", listener: (code: number) => void): unknown;
}

/**
 * Takes note of what cannot be written instead of ending the process. Where the command itself went well, the exit code says in
 * the end that its answer was lost: quietly when the reader closed the pipe, else after one line on stderr.
 */
export function watchOutputs(outputs: Outputs): void {
  let lost: number | undefined;
  outputs.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Only the first error tells the cause: what is written afterwards fails because the stream is closed.
    if (lost !== undefined) return;
    lost = error.code === "EPIPE" ? brokenPipe : exitCode.failed;
    if (lost === exitCode.failed) outputs.stderr.write(`prunelet: ${explanation(error)}\n`);
  });
  // Nobody is left to be told; stdout may hold the whole answer.
  outputs.stderr.on("error", () => undefined);
  outputs.once("exit", (code) => {
    if (code === exitCode.done && lost !== undefined) outputs.exitCode = lost;
  });
  writeWhole(outputs.stdout);
}

function explanation({ message }: Error): string {
  return `stdout cannot be written: ${message}; what was printed is not complete: make room, or print it elsewhere`;
}

/** Node writes to a file once and takes a short write for a whole one: the end would be missing without a word. */
function writeWhole(stream: Outputs["stdout"]): void {
  const { fd } = stream;
  if (fd === undefined || !isFile(fd)) return;
  stream._write = (chunk: Uint8Array, _, done) => {
    try {
      writeFileSync(fd, chunk);
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
}

/** False when the descriptor is closed. */
function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
