// What processes cost, as the kernel counts it: CPU time and memory.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** The kernel counts in hundredths of a second on every machine that Node.js runs on (USER_HZ, proc(5)). */
const ticksPerSecond = 100;

/** Seconds of CPU, user and system together, that a running process has used. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime are fields 14 and 15; the slice begins with field 3.
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** MiB: resident now, and the highest since the start or the last `forgetPeak`. */
export interface Memory {
  readonly resident: number;
  readonly peak: number;
}

/** Undefined when the process has ended. */
export function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const resident = kibIn(status, "VmRSS");
    const peak = kibIn(status, "VmHWM");
    return resident === undefined || peak === undefined ? undefined : { resident: resident / 1024, peak: peak / 1024 };
  } catch {
    return undefined;
  }
}

function kibIn(status: string, field: string): number | undefined {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Lets the peak begin anew (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

export interface Finished {
  /** From the start to the end of the process. */
  readonly seconds: number;
  /** Seconds of CPU. */
  readonly cpu: number;
  /** MiB. */
  readonly peak: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MeasureOptions {
  /** An exit code other than 0 is an answer like any other. Default false. */
  readonly mayFail?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and looks at its memory and CPU time all the while. Fails when it fails. */
export function measureProgram(
  program: string,
  args: readonly string[],
  { mayFail = false, env = {} }: MeasureOptions = {},
): Promise<Finished> {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  let peak = 0;
  let cpu = 0;
  const look = setInterval(() => {
    const memory = memoryOf(child.pid ?? 0);
    if (memory === undefined) return;
    peak = memory.peak;
    cpu = cpuSeconds(child.pid ?? 0);
  }, 10);
  return new Promise((resolve, reject) => {
    let seconds = 0;
    child.on("error", reject);
    child.on("exit", () => {
      seconds = (performance.now() - startedAt) / 1000;
      clearInterval(look);
    });
    child.on("close", (code) => {
      if (code === 0 || mayFail) resolve({ seconds, cpu, peak, ...output });
      else reject(new Error(`${program} ended with ${code}: ${output.stderr.slice(-2_000)}`));
    });
  });
}
