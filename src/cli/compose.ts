// Builds the adapters that a command works with: a live node, a captured node, or the lively embedded one. What the others would
// need is not loaded: a command on a node begins soon.

import type { Config } from "../config/schema.ts";
import { emptyHistory, type History } from "../decide/history.ts";
import type { Pod } from "../image/node-state.ts";
import { findKubernetes } from "../kubernetes/connection.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import { type Clock, systemClock } from "../observe/clock.ts";
import { fromHistoryDocument, toHistoryDocument } from "../observe/history-document.ts";
import { HistoryFileError, readHistoryFile } from "../observe/history-file.ts";
import type { ReportSink } from "../report/event.ts";
import type { Found } from "../runtime/detect.ts";
import type { LivelyNode } from "../runtime/embedded/lively-node.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";
import { connectRuntime } from "./connect.ts";
import type { OwnNode } from "./own-node.ts";

/** What a command works with. */
export interface Session {
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
  readonly history: History;
  /** `live` touches a real runtime; `captured` and `lively` are in memory. */
  readonly origin: "live" | "captured" | "lively";
  /** The lively node, when that is what the session works on. */
  readonly lively?: LivelyNode;
  /** The live runtime: which one, where, and why. */
  readonly found?: Found;
  /** The own node in Kubernetes; undefined when Kubernetes is not used. */
  readonly ownNode?: OwnNode;
  /** Writes the state of the node to a file. */
  readonly capture: (path: string, history: History) => Promise<void>;
  close(): Promise<void>;
}

export interface ComposeInput {
  readonly config: Config;
  /** Path of a captured node. */
  readonly snapshot: string | undefined;
  /** The namespaces of the captured node to look at; all when nobody chose any. */
  readonly namespaces?: readonly string[] | undefined;
  /** True: in a captured node time goes on from its moment. Default: it stands still, so that answers are always the same. */
  readonly timeGoesOn?: boolean;
  /** Where the state will be written at the end: what cannot be written is refused before anything is done. */
  readonly snapshotOut?: string | undefined;
  readonly report: ReportSink;
  /** False: nothing depends on ages, and a state file that cannot be used is no reason to stop. Default true. */
  readonly needsHistory?: boolean;
  /** What is remembered, when somebody has read it already. */
  readonly history?: History;
}

/** Builds the session. Reads files, and asks sockets who answers where the configuration leaves it open. */
export async function compose(input: ComposeInput): Promise<Session> {
  if (input.snapshotOut !== undefined) await (await nodeFiles()).checkWritable(input.snapshotOut);
  if (input.snapshot !== undefined) return captured(input.snapshot, input);
  if (input.config.runtime === "embedded") return lively();
  return live(input);
}

const nodeFiles = () => import("../observe/node-file.ts");

async function captured(
  path: string,
  { namespaces, timeGoesOn = false }: Pick<ComposeInput, "namespaces" | "timeGoesOn">,
): Promise<Session> {
  const { readNodeFile, writeNodeFile } = await nodeFiles();
  const { createEmbeddedRuntime } = await import("../runtime/embedded/embedded-runtime.ts");
  const { state, history: remembered, filesystems = [] } = await readNodeFile(path, { now: Date.now() });
  const readAt = systemClock.elapsed();
  const passed = (): number => (timeGoesOn ? Math.round(systemClock.elapsed() - readAt) : 0);
  const clock: Clock = { ...systemClock, now: () => state.takenAt + passed() };
  // How full the disk was is known only where it was captured; the embedded runtime would make something up.
  const runtime = {
    ...createEmbeddedRuntime(state, { now: clock.now, namespaces }),
    filesystems: async () => filesystems,
  };
  // A memory that nobody can read was one: then no image is known to be old.
  const unread = emptyHistory((remembered ?? undefined) === undefined ? "record-time" : "just-used");
  const history = fromHistoryDocument(remembered, "just-used") ?? unread;
  const pods = state.pods === null ? noPods : fixedPods(state.pods, state.takenAt);
  return {
    runtime,
    pods,
    clock,
    history,
    origin: "captured",
    capture: (out, h) => {
      const after = { takenAt: clock.now(), ...runtime.snapshot(), pods: state.pods };
      return writeNodeFile(out, after, h.unknown === "record-time" ? undefined : toHistoryDocument(h), filesystems);
    },
    close: () => runtime.close(),
  };
}

async function lively(): Promise<Session> {
  const { createLivelyNode } = await import("../runtime/embedded/lively-node.ts");
  const startedAt = Date.now();
  const node = createLivelyNode({ seed: Number(process.env["PRUNELET_SEED"] ?? startedAt % 1_000), startedAt });
  return {
    runtime: node.runtime,
    pods: node.podSource,
    clock: systemClock,
    history: emptyHistory("just-used"),
    origin: "lively",
    lively: node,
    capture: (out, history) => captureNow(out, node.runtime, node.podSource, history),
    close: () => node.runtime.close(),
  };
}

async function live({ config, report, needsHistory = true, history: known }: ComposeInput): Promise<Session> {
  const found = await findKubernetes({
    mode: config.pods.source,
    env: process.env,
    ...(config.pods.kubeconfig === undefined ? {} : { kubeconfig: config.pods.kubeconfig }),
    ...(config.pods.nodeName === undefined ? {} : { nodeName: config.pods.nodeName }),
  });
  const { runtime, found: chosen } = await connectRuntime(config, report);
  const history = known ?? rememberedHistory(config.stateFile, needsHistory, report);
  if (found.kind === "none") tellNoPods(found, report);
  const pods = found.kind === "none" ? noPods : await podsOf(found, config, report);
  return {
    runtime,
    pods,
    clock: systemClock,
    history,
    origin: "live",
    found: chosen,
    ...(found.kind === "none" ? {} : { ownNode: found }),
    capture: (out, h) => captureNow(out, runtime, pods, h),
    close: async () => {
      await pods.stop();
      await runtime.close();
    },
  };
}

/** Without pods what is only planned to run here counts for nothing: a surprise where there is a cluster after all. */
function tellNoPods(
  { reason, hinted }: { readonly reason: string; readonly hinted: boolean },
  report: ReportSink,
): void {
  const surprising = `the pods of this node are not looked at, though there seems to be a cluster: ${reason}`;
  report(
    hinted
      ? { kind: "notice", level: "warn", message: surprising }
      : { kind: "notice", level: "debug", message: reason },
  );
}

async function podsOf(node: OwnNode, config: Config, report: ReportSink): Promise<PodSource> {
  const { watchPods } = await import("../kubernetes/pods.ts");
  const { withKnownNode } = await import("../kubernetes/known-node.ts");
  const onError = (error: Error): void => {
    report({ kind: "notice", level: "debug", message: `pods: ${error.message}` });
  };
  return withKnownNode(watchPods({ ...node, staleAfterMs: config.pods.staleAfter, onError }), node);
}

function rememberedHistory(path: string, needed: boolean, report: ReportSink): History {
  try {
    return readHistoryFile(path) ?? emptyHistory("just-used");
  } catch (error) {
    if (needed || !(error instanceof HistoryFileError)) throw error;
    report({ kind: "notice", level: "debug", message: error.message });
    return emptyHistory("just-used");
  }
}

async function captureNow(path: string, runtime: ContainerRuntime, pods: PodSource, history: History): Promise<void> {
  const { writeNodeFile } = await nodeFiles();
  const takenAt = Date.now();
  const state = await runtime.observe();
  const view = pods.view();
  await writeNodeFile(
    path,
    { takenAt, ...state, pods: view.kind === "synced" ? view.pods : null },
    toHistoryDocument(history),
    await runtime.filesystems().catch(() => []),
  );
}

const noPods: PodSource = {
  start: () => undefined,
  view: () => ({ kind: "none" }),
  ready: async () => ({ kind: "none" }),
  onChange: () => () => undefined,
  stop: async () => undefined,
};

function fixedPods(pods: readonly Pod[], confirmedAt: number): PodSource {
  const view = { kind: "synced", pods, confirmedAt } as const;
  return { ...noPods, view: () => view, ready: async () => view };
}
