// `prunelet version`: this program, the runtime it found, and what that runtime can do.

import { ConfigError } from "../config/config-error.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import { withSession } from "./command-context.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { print } from "./output.ts";
import { version } from "./version-text.ts";

/** Runs the command and returns its exit code. A runtime that cannot be reached is said, but is no failure. */
export async function versionCommand(flags: CommonFlags): Promise<number> {
  const found = await runtimeInfo(flags);
  const data = { version, node: process.versions.node, ...found };
  print(flags.output, data, () => {
    const { runtime } = found;
    if (runtime === undefined)
      return `prunelet ${version} (Node.js ${process.versions.node})\nruntime   none: ${found.problem}`;
    const apis = Object.entries(runtime.apiVersions).map(([name, api]) => `${name} ${api}`);
    const can = Object.entries(runtime.capabilities).map(([name, yes]) => `${yes ? "" : "no "}${name}`);
    return [
      `prunelet ${version} (Node.js ${process.versions.node})`,
      `runtime   ${runtime.kind} ${runtime.version}`,
      `apis      ${apis.join(", ")}`,
      `can       ${can.join(", ")}`,
    ].join("\n");
  });
  return exitCode.done;
}

async function runtimeInfo(flags: CommonFlags) {
  let info: Awaited<ReturnType<import("../runtime/runtime.ts").ContainerRuntime["info"]>> | undefined;
  try {
    await withSession({ ...flags, pods: "none" }, async ({ session }) => {
      info = await session.runtime.info();
      return exitCode.done;
    });
    return { runtime: info };
  } catch (error) {
    if (error instanceof RuntimeError || error instanceof ConfigError) return { problem: error.message };
    throw error;
  }
}
