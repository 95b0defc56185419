// Makes sure that daemons do not outlive the test process.
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import { clearLeftovers } from "./clear-away.ts";

let guarded = false;

/** Called before a daemon starts: clears away what killed runs left, and has this process's daemons cleared when it ends. */
export function guardProcess(): void {
  if (guarded) return;
  guarded = true;
  clearLeftovers();
  const guardian = spawn(process.execPath, [join(import.meta.dirname, "guardian.ts"), String(process.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guardian.unref();
  if (guardian.stdin instanceof Socket) guardian.stdin.unref();
}
