// Exit codes and the one line that explains an error.
import { ConfigError } from "../config/config-error.ts";
import { KubernetesConfigError } from "../kubernetes/errors.ts";
import { NodeFileError } from "../observe/node-file-error.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";

/** The exit codes, an interface: scripts rely on them. */
export const exitCode = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

/** A command ends with this: a message of one line for stderr and the exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, code: number = exitCode.failed) {
    super(message);
    this.exitCode = code;
  }
}

/** The lines and the exit code for anything that was thrown. */
export function explainError(error: unknown): { readonly lines: readonly string[]; readonly code: number } {
  if (error instanceof ConfigError) return { lines: error.problems, code: exitCode.usage };
  if (error instanceof KubernetesConfigError) return { lines: [error.message], code: exitCode.usage };
  if (error instanceof NodeFileError) {
    return { lines: [error.message], code: error.atTheEnd ? exitCode.failed : exitCode.usage };
  }
  if (error instanceof CommandError) return { lines: [error.message], code: error.exitCode };
  if (error instanceof RuntimeError) {
    return { lines: [error.message], code: error.code === "invalid-argument" ? exitCode.usage : exitCode.failed };
  }
  const text =
    error instanceof Error
      ? process.env["PRUNELET_DEBUG"]
        ? (error.stack ?? error.message)
        : error.message
      : String(error);
  return { lines: [text], code: exitCode.failed };
}
