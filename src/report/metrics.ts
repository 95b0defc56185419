// The Prometheus sink: turns report events into the metrics of the metric table, in a registry of its own.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { everyFailureReason, type NameOutcome, type Outcome } from "../act/outcome.ts";
import type { ReferenceOutcome } from "../act/remove-outcome.ts";
import { takeInventory } from "../decide/inventory.ts";
import type { Plan } from "../decide/plan.ts";
import { removeCodes } from "../decide/reason.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";
import {
  everySkipReason,
  everyTrigger,
  type PressureReport,
  type ReportEvent,
  type ReportSink,
  succeeded,
} from "./event.ts";
import { type MetricRow, metricTable } from "./metric-table.ts";

const prefix = "prunelet_";

export interface Metrics {
  readonly registry: Registry;
  readonly sink: ReportSink;
}

/** What build_info says. */
export interface BuildInfo {
  readonly version: string;
  readonly runtime: string;
  /** What is known at the start; the first look at the runtime tells the truth. */
  readonly runtimeVersion: string;
}

/** Makes the registry with every metric of the table and the sink that feeds it. */
export function createMetrics(build: BuildInfo): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = createAll(registry);
  // What the agent started with was loaded.
  metrics.configLastReload.set(1);
  metrics.filesystemVisible.set(1);
  setBuildInfo(metrics, build);
  startAtZero(metrics);
  const sink: ReportSink = (event) => {
    if (event.kind === "planned") {
      const { kind, version } = event.state.runtime;
      setBuildInfo(metrics, { ...build, runtime: kind, runtimeVersion: version });
    }
    feed(metrics, event);
  };
  return { registry, sink };
}

function setBuildInfo(metrics: All, { version, runtime, runtimeVersion }: BuildInfo): void {
  metrics.buildInfo.reset();
  metrics.buildInfo.set({ version, runtime, runtime_version: runtimeVersion }, 1);
}

/** Counters whose labels are known begin at 0: Prometheus does not see the first increase of a series that was not there. */
function startAtZero(metrics: All): void {
  for (const reason of Object.keys(removeCodes)) {
    metrics.imagesDeleted.inc({ reason }, 0);
    metrics.namesUntagged.inc({ reason }, 0);
  }
  for (const reason of everyFailureReason) metrics.removalFailures.inc({ reason }, 0);
  for (const result of ["done", "failed", "skipped"]) metrics.reconciles.inc({ result }, 0);
  for (const reason of everySkipReason) metrics.skippedReconciles.inc({ reason }, 0);
  for (const trigger of everyTrigger) metrics.rounds.inc({ trigger }, 0);
  for (const code of ["max-removals", "max-fraction", "backoff", "outside-window"]) metrics.brakes.inc({ code }, 0);
  for (const result of ["relieved", "unrelieved"]) metrics.pressureEpisodes.inc({ result }, 0);
  for (const by of ["in_use", "pinned", "young", "kept", "other"]) metrics.pressureHeldBytes.set({ by }, 0);
  for (const result of ["loaded", "refused"]) metrics.configReloads.inc({ result }, 0);
}

type All = ReturnType<typeof createAll>;

function createAll(registry: Registry) {
  const options = (row: MetricRow) => ({
    name: prefix + row.name,
    help: row.help,
    labelNames: row.labels,
    registers: [registry],
  });
  const counter = (row: MetricRow) => new Counter(options(row));
  const gauge = (row: MetricRow) => new Gauge(options(row));
  const histogram = (row: MetricRow) => new Histogram({ ...options(row), buckets: [...(row.buckets ?? [])] });
  const table = metricTable;
  return {
    imagesDeleted: counter(table.imagesDeleted),
    namesUntagged: counter(table.namesUntagged),
    removalFailures: counter(table.removalFailures),
    reclaimedBytes: counter(table.reclaimedBytes),
    reconciles: counter(table.reconciles),
    skippedReconciles: counter(table.skippedReconciles),
    imagesKept: counter(table.imagesKept),
    images: gauge(table.images),
    imageBytes: gauge(table.imageBytes),
    names: gauge(table.names),
    filesystemCapacity: gauge(table.filesystemCapacity),
    filesystemUsed: gauge(table.filesystemUsed),
    filesystemInodes: gauge(table.filesystemInodes),
    filesystemInodesUsed: gauge(table.filesystemInodesUsed),
    ...createPressure(counter, gauge),
    lastSuccess: gauge(table.lastSuccess),
    podsSynced: gauge(table.podsSynced),
    configReloads: counter(table.configReloads),
    configLastReload: gauge(table.configLastReload),
    auditWriteFailures: counter(table.auditWriteFailures),
    auditLinesLost: counter(table.auditLinesLost),
    buildInfo: gauge(table.buildInfo),
    reconcileDuration: histogram(table.reconcileDuration),
    removalDuration: histogram(table.removalDuration),
    runtimeCallDuration: histogram(table.runtimeCallDuration),
  };
}

function createPressure(counter: (row: MetricRow) => Counter, gauge: (row: MetricRow) => Gauge) {
  const table = metricTable;
  return {
    filesystemVisible: gauge(table.filesystemVisible),
    rounds: counter(table.rounds),
    brakes: counter(table.brakes),
    pressureLevel: gauge(table.pressureLevel),
    pressureDemandBytes: gauge(table.pressureDemandBytes),
    pressureDemandInodes: gauge(table.pressureDemandInodes),
    pressureShortfallBytes: gauge(table.pressureShortfallBytes),
    pressureEpisodes: counter(table.pressureEpisodes),
    pressureHeldBytes: gauge(table.pressureHeldBytes),
  };
}

function feed(metrics: All, event: ReportEvent): void {
  switch (event.kind) {
    case "planned":
      setInventory(metrics, event.plan);
      setFilesystems(metrics, event.filesystems);
      countPlan(metrics, event);
      return;
    case "filesystem-seen":
      setFilesystems(metrics, [event.filesystem]);
      setDemand(metrics, event);
      return;
    case "filesystem-unseen":
      metrics.filesystemVisible.set(0);
      forgetPressure(metrics);
      return;
    case "pressure":
      setPressure(metrics, event);
      return;
    case "name-done":
      countName(metrics, event.outcome);
      return;
    case "round-done":
      metrics.reconcileDuration.observe(event.seconds);
      metrics.reconciles.inc({ result: succeeded(event.outcome) ? "done" : "failed" });
      if (succeeded(event.outcome)) metrics.lastSuccess.set(event.at / 1000);
      countOutcome(metrics, event.outcome);
      return;
    case "reference-done":
      countReference(metrics, event.outcome);
      return;
    case "references-done":
      metrics.reclaimedBytes.inc(event.outcome.reclaimedBytes);
      if (event.outcome.collectFailure) metrics.removalFailures.inc({ reason: event.outcome.collectFailure.reason });
      return;
    case "round-skipped":
      metrics.reconcileDuration.observe(event.seconds);
      metrics.reconciles.inc({ result: "skipped" });
      metrics.skippedReconciles.inc({ reason: event.reason });
      return;
    case "round-failed":
      metrics.reconcileDuration.observe(event.seconds);
      metrics.reconciles.inc({ result: "failed" });
      return;
    case "pods-synced":
      metrics.podsSynced.set(event.synced ? 1 : 0);
      return;
    case "config-reloaded":
      metrics.configReloads.inc({ result: event.result });
      metrics.configLastReload.set(event.result === "loaded" ? 1 : 0);
      // Pressure may be handled otherwise now, or not at all: the next look at the disk tells.
      if (event.result !== "loaded") return;
      forgetPressure(metrics);
      metrics.filesystemVisible.set(1);
      return;
    case "runtime-call":
      metrics.runtimeCallDuration.observe({ call: event.call }, event.seconds);
      return;
    case "audit-failed":
      metrics.auditWriteFailures.inc();
      return;
    case "audit-mended":
      metrics.auditLinesLost.inc(event.lost);
      return;
    case "audit-resolved":
    case "notice":
      return;
  }
}

function setInventory(metrics: All, plan: Plan): void {
  const inventory = takeInventory(plan);
  for (const [state, count] of Object.entries(inventory.images)) metrics.images.set({ state }, count);
  for (const [state, bytes] of Object.entries(inventory.bytes)) metrics.imageBytes.set({ state }, bytes);
  for (const [kind, count] of Object.entries(inventory.names)) metrics.names.set({ kind }, count);
  for (const verdict of plan.images) {
    if (verdict.action !== "keep") continue;
    for (const reason of new Set(verdict.reasons.map(({ code }) => code))) metrics.imagesKept.inc({ reason });
  }
}

function setFilesystems(metrics: All, filesystems: readonly FilesystemUsage[]): void {
  for (const { path, capacityBytes, usedBytes, inodes, inodesUsed } of filesystems) {
    metrics.filesystemCapacity.set({ path }, capacityBytes);
    metrics.filesystemUsed.set({ path }, usedBytes);
    metrics.filesystemInodes.set({ path }, inodes);
    metrics.filesystemInodesUsed.set({ path }, inodesUsed);
  }
}

function countPlan(metrics: All, { plan, trigger, withheld }: Extract<ReportEvent, { kind: "planned" }>): void {
  if (trigger !== undefined) metrics.rounds.inc({ trigger });
  for (const { code } of plan.brakes) metrics.brakes.inc({ code });
  if (withheld !== undefined) metrics.brakes.inc({ code: withheld.code });
}

const levels = { routine: 0, pressure: 1, emergency: 2 } as const;

function setDemand(metrics: All, { filesystem, demand }: Extract<ReportEvent, { kind: "filesystem-seen" }>): void {
  const { path } = filesystem;
  metrics.filesystemVisible.set(1);
  metrics.pressureLevel.set({ path }, levels[demand?.mode ?? "routine"]);
  metrics.pressureDemandBytes.set({ path }, demand?.bytes ?? 0);
  metrics.pressureDemandInodes.set({ path }, demand?.inodes ?? 0);
  if (demand === undefined) metrics.pressureShortfallBytes.set({ path }, 0);
}

/** Of a filesystem that is not looked at any more nothing is told: an old value would go on raising an alert. */
function forgetPressure(metrics: All): void {
  metrics.pressureLevel.reset();
  metrics.pressureDemandBytes.reset();
  metrics.pressureDemandInodes.reset();
  metrics.pressureShortfallBytes.reset();
}

function setPressure(metrics: All, { filesystem, result, missing, holding }: PressureReport): void {
  metrics.pressureEpisodes.inc({ result });
  metrics.pressureShortfallBytes.set({ path: filesystem.path }, missing.bytes);
  const { inUse, ...rest } = holding;
  for (const [by, bytes] of Object.entries({ in_use: inUse, ...rest })) metrics.pressureHeldBytes.set({ by }, bytes);
}

function countName(metrics: All, { result, reason, seconds }: NameOutcome): void {
  if (result.kind === "removed") metrics.namesUntagged.inc({ reason });
  if (result.kind === "failed") metrics.removalFailures.inc({ reason: result.reason });
  if (result.kind === "removed" || result.kind === "failed") metrics.removalDuration.observe(seconds);
}

function countOutcome(metrics: All, outcome: Outcome): void {
  for (const { reason } of outcome.deleted) metrics.imagesDeleted.inc({ reason });
  metrics.reclaimedBytes.inc(outcome.reclaimedBytes);
  if (outcome.collectFailure !== undefined) metrics.removalFailures.inc({ reason: outcome.collectFailure.reason });
}

function countReference(metrics: All, { names, emptied, error, seconds }: ReferenceOutcome): void {
  const reason = "requested";
  metrics.namesUntagged.inc({ reason }, names.length);
  metrics.imagesDeleted.inc({ reason }, emptied.length);
  if (error !== undefined) metrics.removalFailures.inc({ reason: error.reason });
  if (names.length > 0) metrics.removalDuration.observe(seconds / names.length);
}
