// What every command begins with: the configuration, the log, the session; and what it ends with.
import type { ConfigSources } from "../config/layers.ts";
import { loadConfig } from "../config/load.ts";
import { toPolicy } from "../config/policy.ts";
import type { Config } from "../config/schema.ts";
import { merge, newTree, type Tree } from "../config/tree.ts";
import type { Policy } from "../decide/policy.ts";
import type { PodsView } from "../kubernetes/pod-source.ts";
import type { ReportEvent, ReportSink } from "../report/event.ts";
import { createLogger, logSink } from "../report/log.ts";
import { compose, type Session } from "./compose.ts";
import { type CommonFlags, type PolicyFlags, type RunOnlyFlags, toConfigTree } from "./flags.ts";
import { configOnNode } from "./own-node.ts";

export interface CommandContext {
  readonly config: Config;
  readonly session: Session;
  readonly report: ReportSink;
  /** The configuration as it would be with these settings on top. */
  readonly configWith: (settings: Tree) => Promise<Config>;
  /** The policy at the session's present moment. */
  readonly policy: Policy;
}

/** A person who types a command means now: ages count only when a flag, the environment or a file asks for them. */
const agesOff = { policy: { unusedFor: "0", minAge: "0" } };
/** Outside of a cluster nobody else starts at the same moment. */
const startAtOnce = { startJitter: "0" };

/** Where the configuration of a command comes from; `ages` says whether the schema's own ages hold without being asked for. */
export function commandSources(
  flags: CommonFlags & PolicyFlags & RunOnlyFlags,
  { ages }: { readonly ages: boolean },
): ConfigSources {
  const file = flags.config ?? process.env["PRUNELET_CONFIG"];
  const defaults = { ...(ages || file !== undefined ? {} : agesOff), ...(inCluster() ? {} : startAtOnce) };
  return { file, env: process.env, flags: toConfigTree(flags), defaults };
}

/** True in a pod, where many agents may start together. */
function inCluster(): boolean {
  return process.env["KUBERNETES_SERVICE_HOST"] !== undefined;
}

/** A log whose level may change while the program runs. */
export interface Log {
  readonly sink: ReportSink;
  setLevel(level: Config["log"]["level"]): void;
}

/** Makes the log of a configuration. */
export async function openLog(config: Config): Promise<Log> {
  const format = config.log.format === "auto" ? (process.stderr.isTTY ? "text" : "json") : config.log.format;
  const logger = await createLogger({ level: config.log.level, format });
  return {
    sink: logSink(logger),
    setLevel: (level) => {
      logger.level = level;
    },
  };
}

/** The log of a command that a person typed: quieter than that of the agent. */
async function quietLog(config: Config): Promise<ReportSink> {
  const { level } = config.log;
  return (await openLog({ ...config, log: { ...config.log, level: level === "info" ? "warn" : level } })).sink;
}

/** Runs `work` in a session that is closed afterwards, whatever happens. */
export async function withSession(
  flags: CommonFlags & PolicyFlags,
  work: (context: CommandContext) => Promise<number>,
  { needsHistory = false }: { readonly needsHistory?: boolean } = {},
): Promise<number> {
  const sources = commandSources(flags, { ages: false });
  const base = loadConfig(sources);
  const report = withoutVerdicts(await quietLog(base));
  const needed = needsHistory || usesHistory(flags, base);
  const { snapshot, snapshotOut, namespace: namespaces } = flags;
  const session = await compose({ config: base, snapshot, namespaces, snapshotOut, report, needsHistory: needed });
  try {
    const { config } = await configOnNode(sources, session.ownNode);
    const configWith = async (settings: Tree): Promise<Config> => {
      const more = newTree();
      merge(more, sources.flags);
      merge(more, settings);
      return (await configOnNode({ ...sources, flags: more }, session.ownNode)).config;
    };
    return await work({ config, configWith, session, report, policy: toPolicy(config, session.clock.now()) });
  } finally {
    await session.close();
  }
}

/** True when a rule of the policy looks at what happened before, in a routine round. */
function needsMemory(policy: Config["policy"]): boolean {
  const { unusedFor, danglingFor = 0, minAge, keepPerRepository, podNamespaces, maxImageBytes } = policy;
  if (unusedFor > 0 || danglingFor > 0 || minAge > 0 || keepPerRepository > 0) return true;
  return podNamespaces.only.length > 0 || podNamespaces.except.length > 0 || maxImageBytes !== undefined;
}

/** True when ages count, or when a state file was named: it then has to be readable, and is kept up to date. */
export function usesHistory({ stateFile }: CommonFlags, { policy }: Config): boolean {
  return stateFile !== undefined || needsMemory(policy);
}

/** What ends a command is said once, by the line that the command ends with; the log would only say it again. */
function withoutVerdicts(log: ReportSink): ReportSink {
  const said = new Set<ReportEvent["kind"]>(["round-failed", "round-skipped", "pods-synced"]);
  return (event) => {
    if (!said.has(event.kind)) log(event);
  };
}

/** Milliseconds that a command waits for the first list of pods. */
const podsTimeout = 10_000;

/** Starts the pod source and waits for its first list. */
export async function podsReady(session: Session): Promise<PodsView> {
  session.pods.start();
  return session.pods.ready(podsTimeout);
}
