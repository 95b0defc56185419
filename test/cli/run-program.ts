// Runs the command line: the built bundle in a process of its own, or the program inside this one where it is only asked for data.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { main } from "../../src/cli/program.ts";

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(import.meta.dirname, "../..");

/** Builds the bundle when it is older than the sources. */
export async function buildBundle(): Promise<void> {
  const { code, stderr } = await runFile("scripts/build.mjs", []);
  if (code !== 0) throw new Error(`the build failed: ${stderr}`);
}

/** The built program as users start it, without the environment's own prunelet settings. */
export function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  return runFile("dist/prunelet.js", args, env);
}

function runFile(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PRUNELET|KUBE|NODE_)/.test(name));
  const child = spawn(process.execPath, [join(root, file), ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 15_000,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** Runs a command in this process and catches what it writes to stdout. For commands that end by themselves. */
export async function runHere(args: readonly string[]): Promise<Pick<ProgramResult, "code" | "stdout">> {
  const written: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    written.push(String(chunk));
    return true;
  };
  try {
    const code = await main(args);
    return { code, stdout: written.join("") };
  } finally {
    process.stdout.write = write;
  }
}
