// Test groups that need real daemons: skipped with the reason where they are missing, failed where they must not be.
import { describe, test } from "vitest";
import {
  type Availability,
  type ContainerdLine,
  type DockerLine,
  findContainerd,
  findDocker,
  findProgram,
} from "./manifest.ts";
import { type DiskKind, findSmallDisk } from "./small-disk.ts";

export type Need = `containerd ${ContainerdLine}` | `docker ${DockerLine}` | `disk ${DiskKind}` | "podman" | "registry";

/**
 * `describe` for tests against real daemons. When one of `needs` is missing, the group is skipped under a name that tells why;
 * with the environment variable CI set it fails instead, so that a pipeline never passes by skipping.
 */
export function describeDaemon(name: string, needs: readonly Need[], tests: () => void): void {
  const reason = needs.flatMap(lookUp).find((found) => found.kind === "missing")?.reason;
  if (reason === undefined) describe(name, tests);
  else if (isPipeline()) describe(name, () => test("has its daemons", () => Promise.reject(new Error(reason))));
  else describe.skip(`${name} (skipped: ${reason})`, tests);
}

function lookUp(need: Need): readonly Availability[] {
  if (need === "registry" || need === "podman") return [findProgram(need)];
  const [daemon, line = ""] = need.split(" ");
  if (daemon === "disk") return [findSmallDisk(line as DiskKind)];
  const found = daemon === "docker" ? findDocker(line as DockerLine) : findContainerd(line as ContainerdLine);
  return [found, findProgram("runc"), findProgram("busybox")];
}

function isPipeline(): boolean {
  const value = process.env["CI"];
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}
