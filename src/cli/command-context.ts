// What every command begins with: the configuration, the log, the session; and what it ends with.
import { loadConfig } from "../config/load.ts";
import { toPolicy } from "../config/policy.ts";
import type { Config } from "../config/schema.ts";
import type { Policy } from "../decide/policy.ts";
import type { PodsView } from "../kubernetes/pod-source.ts";
import type { ReportEvent, ReportSink } from "../report/event.ts";
import { createLogger, logSink } from "../report/log.ts";
import { compose, type Session } from "./compose.ts";
import { type CommonFlags, type PolicyFlags, toConfigTree } from "./flags.ts";

export interface CommandContext {
  readonly config: Config;
  readonly session: Session;
  readonly report: ReportSink;
  /** The policy at the session's present moment. */
  readonly policy: Policy;
}

/** A person who types a command means now: ages count only when a flag, the environment or a file asks for them. */
const agesOff = { policy: { unusedFor: "0", minAge: "0" } };

/** Loads the configuration of a command; `ages` says whether the schema's own ages hold without being asked for. */
export function commandConfig(flags: CommonFlags & PolicyFlags, { ages }: { readonly ages: boolean }): Config {
  const file = flags.config ?? process.env["PRUNELET_CONFIG"];
  const defaults = ages || file !== undefined ? {} : agesOff;
  return loadConfig({ file, env: process.env, flags: toConfigTree(flags), defaults });
}

/** Makes the log sink of a configuration. */
export function logOf(config: Config, quietBelow?: "warn"): ReportSink {
  const format = config.log.format === "auto" ? (process.stderr.isTTY ? "text" : "json") : config.log.format;
  const level = quietBelow === "warn" && config.log.level === "info" ? "warn" : config.log.level;
  return logSink(createLogger({ level, format }));
}

/** Runs `work` in a session that is closed afterwards, whatever happens. */
export async function withSession(
  flags: CommonFlags & PolicyFlags,
  work: (context: CommandContext) => Promise<number>,
): Promise<number> {
  const config = commandConfig(flags, { ages: false });
  const report = withoutVerdicts(logOf(config, "warn"));
  // Patterns and filters are checked before anything is connected.
  toPolicy(config.policy, Date.now());
  const session = await compose({ config, snapshot: flags.snapshot, report, needsHistory: usesHistory(flags, config) });
  try {
    return await work({ config, session, report, policy: toPolicy(config.policy, session.clock.now()) });
  } finally {
    await session.close();
  }
}

/** True when ages count, or when a state file was named: it then has to be readable, and is kept up to date. */
export function usesHistory({ stateFile }: CommonFlags, { policy }: Config): boolean {
  return stateFile !== undefined || policy.unusedFor > 0 || policy.minAge > 0;
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
