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
  const child = spawn(process.execPath, [join(root, file), ...args], {
    env: { ...ownEnvironment(), ...env },
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

export interface Started {
  /** What it has written to stderr so far. */
  stderr(): string;
  /** Asks it to stop, and resolves with its exit code. Ends it by force after some seconds. */
  stop(): Promise<number | null>;
}

/** Starts the built program and leaves it running. */
export function startProgram(args: readonly string[]): Started {
  const child = spawn(process.execPath, [join(root, "dist/prunelet.js"), ...args], {
    env: ownEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let written = "";
  child.stderr.on("data", (chunk: Buffer) => {
    written += chunk;
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    stderr: () => written,
    stop: async () => {
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      return closed.finally(() => clearTimeout(force));
    },
  };
}

/** The environment without whatever would configure prunelet. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PRUNELET|KUBE|NODE_)/.test(name)));
}

/**
 * Runs a command in this process and catches what it writes: much faster than a process of its own. For commands that end by
 * themselves, one at a time.
 */
export async function runHere(args: readonly string[]): Promise<ProgramResult> {
  const stdout = catchWrites(process.stdout);
  const stderr = catchWrites(process.stderr);
  try {
    const code = await main(args);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stdout.release();
    stderr.release();
  }
}

function catchWrites(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  const written: string[] = [];
  const { write } = stream;
  stream.write = (chunk: string | Uint8Array): boolean => {
    written.push(String(chunk));
    return true;
  };
  const release = (): void => {
    stream.write = write;
  };
  return { text: () => written.join(""), release };
}
