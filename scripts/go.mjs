// Go, for tools that are built from their modules.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "./setup.mjs";

/** Something that cannot be had here, in one line. */
export class Missing extends Error {}

/** Runs Go in the cache folder and returns what it printed. Throws `Missing` when it fails or is not there. */
export function go(args, env) {
  const program = goProgram();
  if (program === undefined) throw new Missing("Go is not installed: install it, then run the tests again");
  mkdirSync(cacheDir, { recursive: true });
  const result = spawnSync(program, args, {
    cwd: cacheDir,
    env: { ...process.env, GOWORK: "off", ...env },
    encoding: "utf8",
    maxBuffer: 64 << 20,
    timeout: 1_800_000,
  });
  if (result.status === 0) return result.stdout;
  const lines = `${result.stderr ?? ""}`.trim().split("\n");
  const reason = result.error?.message ?? lines.findLast((line) => !line.startsWith("go: downloading")) ?? "";
  throw new Missing(`go ${args[0]} ${args.at(-1)} failed (${reason || `exit status ${result.status}`})`);
}

/** The path of Go, or undefined. */
export function goProgram() {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/local/go/bin", "/usr/lib/go/bin"];
  return folders.map((folder) => join(folder, "go")).find((file) => existsSync(file));
}
