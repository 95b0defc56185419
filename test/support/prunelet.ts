// Runs the built program as its own process, the way a person or a pod runs it.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createTempFolder, type TempFolder } from "./temp.ts";

export interface RunOptions {
  /** Added to an environment without any of prunelet's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as another user (and group) of this number. */
  readonly uid?: number;
  /** A folder that the process sees in the place of `/run`: where runtimes usually listen. */
  readonly run?: string;
  /** Milliseconds until the process is killed, which fails the test. Default 60 000. */
  readonly timeoutMs?: number;
}

/** A run that ended. */
export interface RunResult {
  /** The exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly tookMs: number;
  /** What was printed to stdout, read as JSON. Fails with both outputs when it is not. */
  json(): unknown;
}

/** A run that goes on. */
export interface RunningPrunelet {
  stdout(): string;
  stderr(): string;
  hasEnded(): boolean;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<RunResult>;
}

const root = join(import.meta.dirname, "../..");
const bundle = join(root, "dist/prunelet.js");
let built = false;

/** Runs the program to its end. */
export function runPrunelet(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return startPrunelet(args, options).ended;
}

/** Starts the program. Without an end of its own it is killed after the timeout. */
export function startPrunelet(args: readonly string[], options: RunOptions = {}): RunningPrunelet {
  buildOnce();
  const { env = {}, uid, run, timeoutMs = 60_000 } = options;
  const startedAt = performance.now();
  const [program = "", ...whole] = [...(run === undefined ? [] : inPlaceOfRun(run)), process.execPath, bundle, ...args];
  const child = spawn(program, whole, {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", PRUNELET_AUDIT_FILE: ownAuditFile(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const chunks = { stdout: [] as string[], stderr: [] as string[] };
  child.stdout.setEncoding("utf8").on("data", (text: string) => chunks.stdout.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => chunks.stderr.push(text));
  const stdout = () => chunks.stdout.join("");
  const stderr = () => chunks.stderr.join("");
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const ended = new Promise<RunResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      const tookMs = performance.now() - startedAt;
      resolve({ code, stdout: stdout(), stderr: stderr(), tookMs, json: () => readJson(stdout(), stderr()) });
    });
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return { stdout, stderr, hasEnded, signal: (name) => void child.kill(name), ended };
}

/** A mount namespace of its own: nobody else sees the other `/run`. */
function inPlaceOfRun(folder: string): readonly string[] {
  return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /run && exec "$@"', folder];
}

function readJson(stdout: string, stderr: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(`no JSON on stdout: ${stdout.slice(0, 500)}; stderr: ${stderr.slice(0, 2_000)}`, { cause: error });
  }
}

let own: TempFolder | undefined;

/** Removals of tests are recorded where nobody looks for those of this machine, and the record goes with the tests. */
function ownAuditFile(): string {
  if (own === undefined) {
    own = createTempFolder();
    process.once("exit", () => own?.remove());
  }
  return join(own.path, "audit.jsonl");
}

/** Bundled directly and not by build.mjs, which also looks after dependencies: a test that runs has them. */
function buildOnce(): void {
  if (built) return;
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/bundle.mjs")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`prunelet could not be built: ${stderr}`);
  built = true;
}
