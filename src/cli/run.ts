// `prunelet run`: the controller. Rounds until told to stop, /metrics and probes meanwhile.

import type { History } from "../decide/history.ts";
import { createEventWriter } from "../kubernetes/events.ts";
import { watchNode } from "../kubernetes/node.ts";
import { systemClock } from "../observe/clock.ts";
import { type Controller, startController } from "../reconcile/controller.ts";
import type { Audit } from "../report/audit.ts";
import type { ReportSink } from "../report/event.ts";
import { eventSink } from "../report/events.ts";
import { startHttpServer } from "../report/http-server.ts";
import { createMetrics } from "../report/metrics.ts";
import { type AgentSettings, createAgentSettings } from "./agent-settings.ts";
import { auditOf } from "./audit.ts";
import { commandSources, type Log, openLog } from "./command-context.ts";
import { compose, type Session } from "./compose.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags, RunOnlyFlags } from "./flags.ts";
import { giveMemoryBack, growSparingly } from "./give-memory-back.ts";
import { observedPods } from "./observed-pods.ts";
import { outliveHangups, stopSignal } from "./signals.ts";
import { openStateFile, type StateFile } from "./state-file.ts";
import { version } from "./version-text.ts";
import { waitForTurn } from "./wait-for-turn.ts";

export interface RunFlags extends CommonFlags, PolicyFlags, RunOnlyFlags {}

/** A round that takes longer than this means that something hangs: the liveness probe says so. */
const longestRound = 15 * 60_000;
/** A round that failed or was skipped is tried again after this long, or after the interval if that is shorter. */
const retryAfter = 30_000;
/** Milliseconds that the first round waits for the first answers of the API server. */
const firstLook = 10_000;
/** Milliseconds for the events that are not written yet when the agent ends. */
const lastEvents = 1_000;

/** Runs the controller until SIGINT or SIGTERM. */
export async function runCommand(flags: RunFlags): Promise<number> {
  growSparingly();
  // At once: the kernel keeps signals that nobody listens to from a container's first process.
  const stop = stopSignal();
  const releaseHangups = outliveHangups();
  try {
    return await runUntil(stop.signal, flags);
  } finally {
    releaseHangups();
    stop.release();
  }
}

async function runUntil(signal: AbortSignal, flags: RunFlags): Promise<number> {
  const settings = createAgentSettings(commandSources(flags, { ages: true }));
  const { config } = settings.config.current();
  const log = await openLog(config);
  const sinks: ReportSink[] = [log.sink];
  const report: ReportSink = (event) => {
    for (const sink of sinks) sink(event);
  };
  const isLive = flags.snapshot === undefined && config.runtime !== "embedded";
  const stateFile = isLive ? openStateFile(config.stateFile, systemClock, report) : undefined;
  try {
    const history = stateFile === undefined ? {} : { history: stateFile.history };
    const { snapshot, snapshotOut, namespace: namespaces } = flags;
    const composed = await compose({ config, snapshot, namespaces, snapshotOut, timeGoesOn: true, report, ...history });
    const session = { ...composed, pods: observedPods(composed.pods, report) };
    await runSession({ session, settings, report, sinks, log, stateFile, signal, snapshotOut });
    return exitCode.done;
  } finally {
    stateFile?.close();
  }
}

interface Running {
  readonly settings: AgentSettings;
  readonly session: Session;
  readonly report: ReportSink;
  /** What `report` feeds; more are added. */
  readonly sinks: ReportSink[];
  readonly log: Log;
  readonly stateFile: StateFile | undefined;
  readonly signal: AbortSignal;
  readonly snapshotOut: string | undefined;
}

/** Runs until told to stop, and closes the session. */
async function runSession(running: Running): Promise<void> {
  const { session, settings, report, sinks, log, stateFile, signal, snapshotOut } = running;
  const events = kubernetesEvents(session, settings, report);
  const audit = auditOf(session, { command: "run", settings: () => settings.config.current().config.audit, report });
  let latest = session.history;
  const remember = (known: History): void => {
    latest = known;
    stateFile?.remember(known);
  };
  try {
    const metrics = createMetrics({ version, runtime: session.runtime.kind, runtimeVersion: "unknown" });
    sinks.push(metrics.sink, events.sink, audit.sink);
    await serve({ settings, session, report, log, remember, audit, signal, registry: metrics.registry });
    if (snapshotOut !== undefined) await session.capture(snapshotOut, latest);
  } finally {
    await audit.close();
    await events.close();
    await session.pods.stop();
    await session.close();
  }
}

interface Serving {
  readonly settings: AgentSettings;
  readonly session: Session;
  readonly report: ReportSink;
  readonly log: Log;
  readonly remember: (history: History) => void;
  readonly audit: Audit;
  readonly signal: AbortSignal;
  readonly registry: ReturnType<typeof createMetrics>["registry"];
}

async function serve(serving: Serving): Promise<void> {
  const { settings, session, report, log, signal, registry, remember, audit } = serving;
  const { config } = settings.config.current();
  let controller: Controller | undefined;
  const http = await startHttpServer({
    listen: config.http.listen,
    registry,
    alive: () => aliveProblem(controller),
    ready: () => readyProblem(controller, session, settings),
  });
  notice(
    report,
    `looking after ${session.runtime.kind}; metrics at ${http.url}/metrics, health at ${http.url}/healthz`,
  );
  const living = session.lively === undefined ? undefined : live(session, report, signal);
  try {
    const { clock, ownNode } = session;
    await waitForTurn({ clock, usesKubernetes: ownNode !== undefined, startJitter: config.startJitter, signal });
    if (signal.aborted) return notice(report, "stopped");
    session.pods.start();
    settings.start({
      report,
      watchNode: nodeWatch(session, config.pods.staleAfter, report),
      onChange: () => {
        log.setLevel(settings.config.current().config.log.level);
        controller?.settingsChanged();
      },
    });
    await Promise.race([Promise.all([session.pods.ready(firstLook), settings.ready(firstLook)]), fired(signal)]);
    // Reading the view reports whether the pods are known.
    session.pods.view();
    controller = startController({
      ...session,
      settings: settings.loop,
      retryAfter,
      report,
      announce: audit.announce,
      remember,
      beforeRest: giveMemoryBack,
      signal,
    });
    await controller.done;
    notice(report, "stopped");
  } finally {
    await settings.stop();
    await living;
    await http.close();
  }
}

/** Resolves when the signal has fired. */
function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function nodeWatch({ ownNode }: Session, staleAfterMs: number, report: ReportSink) {
  if (ownNode === undefined) return undefined;
  return () =>
    watchNode({
      ...ownNode,
      staleAfterMs,
      onError: (error) => report({ kind: "notice", level: "debug", message: `node: ${error.message}` }),
    });
}

/** The sink for Kubernetes events; one that does nothing without Kubernetes. */
function kubernetesEvents({ ownNode, clock }: Session, settings: AgentSettings, report: ReportSink) {
  if (ownNode === undefined) return { sink: () => undefined, close: async () => undefined };
  const writer = createEventWriter({
    ...ownNode,
    onError: (error) => report({ kind: "notice", level: "debug", message: `event not written: ${error.message}` }),
  });
  const limits = () => settings.config.current().config.events;
  const sink = eventSink({ nodeName: ownNode.nodeName, now: clock.now, limits, write: writer.write });
  return { sink, close: () => writer.close(lastEvents) };
}

function aliveProblem(controller: Controller | undefined): string | undefined {
  const since = controller?.status().roundSince;
  if (since === undefined || Date.now() - since < longestRound) return undefined;
  return `a round has been running since ${new Date(since).toISOString()}`;
}

function readyProblem(
  controller: Controller | undefined,
  session: Session,
  settings: AgentSettings,
): string | undefined {
  const view = session.pods.view();
  if (view.kind === "unsynced") return `the pods of this node are not known: ${view.reason}`;
  const { hold } = settings.loop();
  // A node that is left alone is as it should be: an upgrade of the fleet must not wait for it.
  if (hold !== undefined) return hold.reason === "disabled" ? undefined : hold.message;
  return controller?.status().observed ? undefined : "the node was not observed yet";
}

/** Lets the lively node live: one step a second until the signal fires. */
async function live(session: Session, report: ReportSink, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const line of session.lively?.step(session.clock.now()) ?? []) notice(report, `node: ${line}`);
    await session.clock.sleep(1_000, signal);
  }
}

function notice(report: ReportSink, message: string): void {
  report({ kind: "notice", level: "info", message });
}
