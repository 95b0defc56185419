// How the benchmarks call the program.
import { join } from "node:path";
import type { Containerd } from "../test/support/daemons/containerd.ts";
import { namespace } from "./store/wire.ts";

/** The flags of Node.js in the image that the agent runs from (scripts/image-root.sh). */
export const imageFlags: readonly string[] = ["--max-semi-space-size=1"];

/** The memory settings of the image that the agent runs from (Dockerfile). */
export const imageEnvironment = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" } as const;

/** Which daemon to work with. */
export function connectionArguments(daemon: Containerd): readonly string[] {
  const stateFile = join(daemon.state, "prunelet-state.json");
  const where = ["--runtime", "containerd", "--endpoint", daemon.endpoint, "--namespace", namespace];
  return [...where, "--state-file", stateFile, "--audit-file", join(daemon.state, "prunelet-audit.jsonl")];
}

/** Removes everything that nothing uses, without pods, and tells about it in JSON. */
export function pruneArguments(daemon: Containerd): readonly string[] {
  return ["prune", "--yes", "--pods", "none", "-o", "json", ...connectionArguments(daemon)];
}
