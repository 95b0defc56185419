// `prunelet version`: this program, the runtime it found and why, what that runtime can do, and what is done where it cannot.

import { ConfigError } from "../config/config-error.ts";
import { loadConfig } from "../config/load.ts";
import { capabilityWords, missingCapabilities } from "../runtime/capability-words.ts";
import { type Found, NoSocketError } from "../runtime/detect.ts";
import type { Capabilities, RuntimeInfo } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import { commandSources, withSession } from "./command-context.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { print } from "./output.ts";
import { version } from "./version-text.ts";

/**
 * Runs the command and returns its exit code. A runtime that cannot be reached is said, but is no failure; a wrong configuration is
 * one, as everywhere: it would hide which runtime is meant.
 */
export async function versionCommand(flags: CommonFlags): Promise<number> {
  loadConfig(commandSources(flags, { ages: false }));
  const found = await runtimeInfo(flags);
  print(flags.output, { version, node: process.versions.node, ...found }, () => versionText(found));
  return exitCode.done;
}

/** What was found, as data: the JSON of `version`. Field names are an interface. */
interface FoundInfo {
  readonly runtime?: RuntimeInfo;
  /** Where a live runtime is and why it was chosen. */
  readonly chosen?: Omit<Found, "kind">;
  /** What the runtime cannot do, and what prunelet does instead. */
  readonly missing?: readonly { readonly capability: keyof Capabilities; readonly instead: string }[];
  /** Why there is no runtime. */
  readonly problem?: string;
  /** Where it was looked for, when there is no socket at all. */
  readonly lookedAt?: readonly string[];
}

async function runtimeInfo(flags: CommonFlags): Promise<FoundInfo> {
  let info: FoundInfo = {};
  let chosen: Pick<FoundInfo, "chosen"> = {};
  try {
    await withSession({ ...flags, pods: "none" }, async ({ session: { runtime, found } }) => {
      if (found !== undefined)
        chosen = { chosen: { endpoint: found.endpoint, why: found.why, passedOver: found.passedOver } };
      info = toFoundInfo(await runtime.info());
      return exitCode.done;
    });
    return { ...info, ...chosen };
  } catch (error) {
    if (error instanceof NoSocketError) return { problem: error.message, lookedAt: error.lookedAt };
    if (error instanceof RuntimeError || error instanceof ConfigError) return { ...chosen, problem: error.message };
    throw error;
  }
}

function toFoundInfo(runtime: RuntimeInfo): FoundInfo {
  const missing = missingCapabilities(runtime.capabilities).map((capability) => {
    return { capability, instead: capabilityWords[capability].instead };
  });
  return { runtime, missing };
}

function versionText({ runtime, chosen, missing = [], problem, lookedAt }: FoundInfo): string {
  const can = Object.entries(runtime?.capabilities ?? {}).filter(([, yes]) => yes);
  const apis = Object.entries(runtime?.apiVersions ?? {});
  return [
    `prunelet ${version} (Node.js ${process.versions.node})`,
    ...(runtime === undefined
      ? [
          `runtime   none: ${lookedAt === undefined ? problem : "there is no socket, give --endpoint unix:///path.sock"}`,
        ]
      : [`runtime   ${runtime.kind} ${runtime.version}`]),
    ...(lookedAt ?? []).map((path) => `looked at ${path}`),
    ...(chosen === undefined ? [] : [`socket    ${chosen.endpoint}`, `chosen    ${chosen.why}`]),
    ...(chosen?.passedOver ?? []).map((other) => `not       ${other}`),
    ...(apis.length === 0 ? [] : [`apis      ${apis.map(([name, api]) => `${name} ${api}`).join(", ")}`]),
    ...(can.length === 0 ? [] : [`can       ${can.map(([name]) => name).join(", ")}`]),
    ...missing.map(({ capability, instead }) => `cannot    ${capability}: ${instead}`),
  ].join("\n");
}
