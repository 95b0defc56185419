// Child processes of tests: started, watched and ended by their id.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { waitFor } from "../wait.ts";

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Milliseconds. Default 60 000. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Fails with what it wrote to stderr. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const settings = { timeout: options.timeoutMs ?? 60_000, maxBuffer: 64 << 20, killSignal: "SIGKILL" } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(new Error(`${program} ${args.join(" ")}: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

/** A daemon that runs in the foreground as our child. */
export interface Daemon {
  readonly pid: number;
  /** Everything it wrote so far. */
  logs(): string;
  hasEnded(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Ends it: asks first, forces after ten seconds. Does nothing when it has ended. */
  end(): Promise<void>;
}

/** Starts a daemon. Its output is kept in memory. */
export function startDaemon(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Daemon {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${program}`);
  const chunks = collectOutput(child);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const signal = (name: NodeJS.Signals) => {
    if (!hasEnded()) child.kill(name);
  };
  return { pid, logs: () => chunks.join(""), hasEnded, signal, end: () => end(program, { hasEnded, signal }) };
}

function collectOutput(child: ChildProcess): readonly string[] {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  child.on("error", (error) => chunks.push(`${error.message}\n`));
  return chunks;
}

async function end(program: string, daemon: Pick<Daemon, "hasEnded" | "signal">): Promise<void> {
  daemon.signal("SIGCONT");
  daemon.signal("SIGTERM");
  try {
    await waitFor(`${program} to end`, daemon.hasEnded, { timeoutMs: 10_000, intervalMs: 10 });
  } catch {
    daemon.signal("SIGKILL");
    await waitFor(`${program} to end by force`, daemon.hasEnded, { intervalMs: 10 });
  }
}

/** A process as its command line tells. */
export interface RunningProcess {
  readonly pid: number;
  readonly args: readonly string[];
}

/** Every process of the machine. */
export function allProcesses(): readonly RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), args: argumentsOf(name) }));
}

/** Empty for processes that ended meanwhile, zombies and kernel threads. */
function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** True while the process runs; a zombie has ended. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Kills processes and waits until they are gone, without an event loop: for clean-up at process exit. */
export function killAndWait(pids: readonly number[], timeoutMs = 20_000): void {
  for (const pid of pids) killQuietly(pid);
  const deadline = Date.now() + timeoutMs;
  while (pids.some(isRunning) && Date.now() < deadline) pauseThread(5);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Blocks the thread. */
export function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
