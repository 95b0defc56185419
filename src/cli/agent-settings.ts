// The settings of the running agent: they follow the configuration file, SIGHUP and the labels of the node.

import type { ConfigSources } from "../config/layers.ts";
import { createLiveConfig, type LiveConfig, type ReloadResult } from "../config/live-config.ts";
import { toPolicy } from "../config/policy.ts";
import { watchFile } from "../config/watch-file.ts";
import { windowsAt } from "../config/windows.ts";
import type { NodeSource } from "../kubernetes/node.ts";
import type { Hold, LoopSettings } from "../reconcile/controller.ts";
import type { ReportEvent, ReportSink } from "../report/event.ts";
import { toPressure } from "./disk.ts";

export interface AgentSettings {
  readonly config: LiveConfig;
  /** What holds for the next round. */
  loop(): LoopSettings;
  /** Begins to follow everything that may change the settings. */
  start(input: FollowInput): void;
  /** Resolves when the labels of the node are known or not needed, or after `timeoutMs` milliseconds. */
  ready(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface FollowInput {
  readonly report: ReportSink;
  /** Makes the source of the node's labels; undefined without Kubernetes. Called once at most, when there are node pools. */
  readonly watchNode: (() => NodeSource) | undefined;
  /** Called after every change that took effect. */
  readonly onChange: () => void;
}

/** Loads the configuration; follows nothing yet. Throws `ConfigError`. */
export function createAgentSettings(sources: ConfigSources): AgentSettings {
  const config = createLiveConfig(sources);
  let followed: Followed | undefined;
  return {
    config,
    loop: () => toLoopSettings(config, followed?.hold()),
    start(input) {
      followed = follow(config, sources.file, input);
    },
    async ready(timeoutMs) {
      await followed?.ready(timeoutMs);
    },
    async stop() {
      await followed?.stop();
    },
  };
}

function toLoopSettings(live: LiveConfig, hold: Hold | undefined): LoopSettings {
  const { config, pool } = live.current();
  const { interval, jitter, act, safety, triggers, windows } = config;
  const who = pool === undefined ? "enabled: false" : `node pool ${pool}`;
  const disabled: Hold | undefined = config.enabled
    ? undefined
    : { reason: "disabled", message: `this node is left alone, as the configuration says (${who})` };
  return {
    interval,
    jitter,
    concurrency: act.concurrency,
    callTimeoutMs: act.callTimeout,
    pauseMs: safety.pause,
    maxGap: Math.max(longestGap, lostRounds * interval),
    policyAt: (now) => toPolicy(config, now),
    pressure: toPressure(config.pressure),
    triggers: triggers.events ? triggers : undefined,
    windowsAt: (now) => windowsAt(windows, now),
    hold: hold ?? disabled,
  };
}

/** Milliseconds without a look, and rounds that did not take place, after which the time between counts as no time. */
const longestGap = 3_600_000;
const lostRounds = 3;

interface Followed {
  /** Why the settings of this node are not known. */
  hold(): Hold | undefined;
  ready(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

function follow(config: LiveConfig, file: string | undefined, { report, watchNode, onChange }: FollowInput): Followed {
  let node: NodeSource | undefined;
  const takeLabels = (): void => {
    const view = node?.view();
    if (view?.kind === "known" && config.setLabels(view.labels)) {
      const { pool } = config.current();
      const message = pool === undefined ? "the node belongs to no node pool" : `the node belongs to node pool ${pool}`;
      report({ kind: "notice", level: "info", message });
    }
    onChange();
  };
  const watchNodeIfNeeded = (): void => {
    if (node !== undefined || config.current().config.nodePools.length === 0) return;
    if (watchNode === undefined) {
      const message = "node pools are chosen by labels, and without Kubernetes there are none: no pool holds";
      report({ kind: "notice", level: "warn", message });
      return;
    }
    node = watchNode();
    node.onChange(takeLabels);
    node.start();
  };
  const reload = (): void => {
    const result = config.reload();
    report(toReport(result));
    watchNodeIfNeeded();
    onChange();
  };
  const stopWatching = file === undefined ? undefined : watchFile({ path: file, onChange: reload });
  process.on("SIGHUP", reload);
  // The file may have changed since it was read: the agent waited for its turn.
  const meanwhile = config.reload();
  if (meanwhile.kind !== "unchanged") {
    report(toReport(meanwhile));
    onChange();
  }
  watchNodeIfNeeded();
  return {
    hold() {
      if (config.current().config.nodePools.length === 0) return undefined;
      const view = node?.view();
      if (view === undefined || view.kind === "known") return undefined;
      return { reason: "node-unknown", message: `the node pool of this node is not known: ${view.reason}` };
    },
    async ready(timeoutMs) {
      await node?.ready(timeoutMs);
    },
    async stop() {
      stopWatching?.();
      process.off("SIGHUP", reload);
      await node?.stop();
    },
  };
}

function toReport(result: ReloadResult): ReportEvent {
  if (result.kind === "unchanged") {
    return { kind: "notice", level: "info", message: "the configuration was read again: nothing changed" };
  }
  if (result.kind === "refused") {
    return { kind: "config-reloaded", result: "refused", message: result.problems.join("; ") };
  }
  const { changed, needsRestart } = result;
  const now = changed.length === 0 ? "nothing that holds here" : changed.join(", ");
  const later = needsRestart.length === 0 ? "" : `; needs a restart of the agent: ${needsRestart.join(", ")}`;
  return { kind: "config-reloaded", result: "loaded", message: `changed: ${now}${later}` };
}
