// `prunelet run`: the controller. Rounds until told to stop, /metrics and probes meanwhile.
import { toPolicy } from "../config/policy.ts";
import type { Config } from "../config/schema.ts";
import type { History } from "../decide/history.ts";
import { emptyHistory } from "../decide/history.ts";
import { HistoryFileError, readHistoryFile, setAside, writeHistoryFile } from "../observe/history-file.ts";
import { type Controller, startController } from "../reconcile/controller.ts";
import type { ReportSink } from "../report/event.ts";
import { startHttpServer } from "../report/http-server.ts";
import { createMetrics } from "../report/metrics.ts";
import { commandConfig, logOf } from "./command-context.ts";
import { compose, type Session } from "./compose.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags, RunOnlyFlags } from "./flags.ts";
import { observedPods } from "./observed-pods.ts";
import { stopSignal } from "./signals.ts";
import { version } from "./version-text.ts";

export interface RunFlags extends CommonFlags, PolicyFlags, RunOnlyFlags {}

/** A round that takes longer than this means that something hangs: the liveness probe says so. */
const longestRound = 15 * 60_000;
/** A round that failed or was skipped is tried again after this long, or after the interval if that is shorter. */
const retryAfter = 30_000;

/** Runs the controller until SIGINT or SIGTERM. */
export async function runCommand(flags: RunFlags): Promise<number> {
  const config = commandConfig(flags, { ages: true });
  const policyAt = (now: number) => toPolicy(config.policy, now);
  policyAt(Date.now());
  const log = logOf(config);
  const sinks: ReportSink[] = [log];
  const report: ReportSink = (event) => {
    for (const sink of sinks) sink(event);
  };
  if (flags.snapshot === undefined && config.runtime !== "embedded") makeStateFileUsable(config, report);
  const composed = await compose({ config, snapshot: flags.snapshot, report });
  const session = { ...composed, pods: observedPods(composed.pods, report) };
  const stop = stopSignal();
  try {
    const metrics = createMetrics({ version, runtime: session.runtime.kind, runtimeVersion: "" });
    sinks.push(metrics.sink);
    await serve({ config, session, report, policyAt, signal: stop.signal, registry: metrics.registry });
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, session.history);
    return exitCode.done;
  } finally {
    stop.release();
    await session.close();
  }
}

interface Serving {
  readonly config: Config;
  readonly session: Session;
  readonly report: ReportSink;
  readonly policyAt: (now: number) => ReturnType<typeof toPolicy>;
  readonly signal: AbortSignal;
  readonly registry: ReturnType<typeof createMetrics>["registry"];
}

async function serve({ config, session, report, policyAt, signal, registry }: Serving): Promise<void> {
  session.pods.start();
  let controller: Controller | undefined;
  const http = await startHttpServer({
    listen: config.http.listen,
    registry,
    alive: () => aliveProblem(controller),
    ready: () => readyProblem(controller, session),
  });
  notice(
    report,
    `looking after ${session.runtime.kind}; metrics at ${http.url}/metrics, health at ${http.url}/healthz`,
  );
  const living = session.lively === undefined ? undefined : live(session, report, signal);
  try {
    await session.pods.ready(10_000);
    // Reading the view reports whether the pods are known.
    session.pods.view();
    controller = startController({
      ...session,
      policyAt,
      interval: config.interval,
      jitter: config.jitter,
      retryAfter,
      concurrency: config.act.concurrency,
      callTimeoutMs: config.act.callTimeout,
      report,
      remember: (history) => remember(history, config, session, report),
      signal,
    });
    await controller.done;
    notice(report, "stopped");
  } finally {
    await living;
    await http.close();
  }
}

function aliveProblem(controller: Controller | undefined): string | undefined {
  const since = controller?.status().roundSince;
  if (since === undefined || Date.now() - since < longestRound) return undefined;
  return `a round has been running since ${new Date(since).toISOString()}`;
}

function readyProblem(controller: Controller | undefined, session: Session): string | undefined {
  const view = session.pods.view();
  if (view.kind === "unsynced") return `the pods of this node are not known: ${view.reason}`;
  return controller?.status().observed ? undefined : "the node was not observed yet";
}

/** Lets the lively node live: one step a second until the signal fires. */
async function live(session: Session, report: ReportSink, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const line of session.lively?.step(session.clock.now()) ?? []) notice(report, `node: ${line}`);
    await session.clock.sleep(1_000, signal);
  }
}

/** The agent goes on without its state file when the disk is full: that is when it is needed most. */
function remember(history: History, config: Config, session: Session, report: ReportSink): void {
  if (session.origin !== "live") return;
  try {
    writeHistoryFile(config.stateFile, history);
  } catch (error) {
    if (!(error instanceof HistoryFileError)) throw error;
    report({ kind: "notice", level: "warn", message: `${error.message}; going on from memory` });
  }
}

/** A corrupt file is put aside and everything counts as just used; one that cannot be read or written ends the agent. */
function makeStateFileUsable(config: Config, report: ReportSink): void {
  const { stateFile } = config;
  try {
    writeHistoryFile(stateFile, readHistoryFile(stateFile) ?? emptyHistory("just-used"));
  } catch (error) {
    if (!(error instanceof HistoryFileError) || error.kind !== "corrupt") throw error;
    const aside = setAside(stateFile, Date.now());
    const message = `the state file was corrupt and is now ${aside}: everything counts as just used`;
    report({ kind: "notice", level: "warn", message });
  }
}

function notice(report: ReportSink, message: string): void {
  report({ kind: "notice", level: "info", message });
}
