// Loads the bundled program with the code that V8 made of it when it was built (scripts/bundle.mjs): half of the time until a
// command asks its first question would go into compiling. Nothing is ever written beside the program.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";
import type * as Program from "./cli/program.ts";

/** What program.js evaluates to. */
type Bundle = (require: NodeJS.Require) => typeof Program;

export interface LoadedProgram {
  readonly program: typeof Program;
  readonly script: Script;
  /** Where its compiled code belongs: only the very same text finds it. */
  readonly codeFile: string;
}

/**
 * Loads program.js from a folder. Where its code is missing, or was made by another version of Node.js, V8 compiles what it needs,
 * and it starts all the same.
 */
export function loadProgram(folder: string): LoadedProgram {
  const filename = join(folder, "program.js");
  const text = readFileSync(filename);
  const codeFile = join(folder, `program.${crc32(text).toString(16)}.code`);
  // The bundler writes ASCII only.
  const script = new Script(text.toString("latin1"), { filename, cachedData: readIfThere(codeFile) });
  const program = (script.runInThisContext() as Bundle)(createRequire(filename));
  return { program, script, codeFile };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
