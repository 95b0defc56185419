// The metrics are an interface: which event moves which number under which labels.
import { describe, expect, it } from "vitest";
import type { ReportEvent } from "../../src/report/event.ts";
import { metricTable } from "../../src/report/metric-table.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { good, mixed, plan, roundDone, state } from "./example.ts";

const build = { version: "1.2.3", runtime: "containerd", runtimeVersion: "2.1" };
const filesystems = [{ path: "/var/lib/x", capacityBytes: 1_000, usedBytes: 600, inodes: 50, inodesUsed: 20 }];
const planned: ReportEvent = { kind: "planned", state, plan, filesystems };

/** The samples after some events, `name{labels}` to value, without Node.js' own metrics. */
async function samplesAfter(...events: ReportEvent[]): Promise<Record<string, number>> {
  const { registry, sink } = createMetrics(build);
  for (const event of events) sink(event);
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("prunelet_"));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice("prunelet_".length, at), Number(line.slice(at + 1))];
    }),
  );
}

describe("the metrics", () => {
  it("show the inventory and the disk after each look", async () => {
    const samples = await samplesAfter(planned);

    expect(samples).toMatchObject({
      'images{state="in_use"}': 1,
      'images{state="kept"}': 1,
      'images{state="removable"}': 1,
      'image_bytes{state="in_use"}': 3_300,
      'image_bytes{state="removable"}': 3_300,
      'names{kind="tag"}': 4,
      'names{kind="id"}': 1,
      'names{kind="digest-reference"}': 0,
      'filesystem_capacity_bytes{path="/var/lib/x"}': 1_000,
      'filesystem_used_bytes{path="/var/lib/x"}': 600,
      'filesystem_inodes{path="/var/lib/x"}': 50,
      'filesystem_inodes_used{path="/var/lib/x"}': 20,
    });
  });

  it("count each kept image once a round for each reason", async () => {
    const samples = await samplesAfter(planned, planned);

    expect(samples['images_kept_total{reason="used-by-pod"}']).toBe(2);
    expect(samples['images_kept_total{reason="pinned"}']).toBe(2);
  });

  it("count removed names by reason and failed ones by cause, with the time they took", async () => {
    const events = mixed.names.map((outcome): ReportEvent => ({ kind: "name-done", outcome }));

    const samples = await samplesAfter(...events);

    expect(samples).toMatchObject({
      'names_untagged_total{reason="unused"}': 1,
      'names_untagged_total{reason="spare-name"}': 1,
      'removal_failures_total{reason="conflict"}': 1,
      removal_duration_seconds_count: 3,
      'removal_duration_seconds_bucket{le="0.001"}': 0,
      'removal_duration_seconds_bucket{le="0.0025"}': 3,
    });
  });

  it("count a good round, what it freed, and when it was", async () => {
    const samples = await samplesAfter(roundDone(good));

    expect(samples).toMatchObject({
      'reconciles_total{result="done"}': 1,
      'images_deleted_total{reason="unused"}': 1,
      reclaimed_bytes_total: 3_300,
      last_successful_reconcile_timestamp_seconds: 1_700_000_000.5,
      reconcile_duration_seconds_count: 1,
    });
  });

  it("count a round with a failed removal as failed, and do not call it a success", async () => {
    const samples = await samplesAfter(roundDone(mixed));

    expect(samples['reconciles_total{result="failed"}']).toBe(1);
    expect(samples["last_successful_reconcile_timestamp_seconds"]).toBe(0);
  });

  it("count a failed collection as a failure", async () => {
    const samples = await samplesAfter(roundDone({ ...good, collectFailure: { reason: "deadline", message: "late" } }));

    expect(samples).toMatchObject({
      'reconciles_total{result="failed"}': 1,
      'removal_failures_total{reason="deadline"}': 1,
    });
  });

  it("count skipped rounds by reason and failed ones", async () => {
    const samples = await samplesAfter(
      { kind: "round-skipped", seconds: 0, reason: "pods-not-synced", message: "stale" },
      { kind: "round-failed", seconds: 0, message: "no socket" },
    );

    expect(samples).toMatchObject({
      'skipped_reconciles_total{reason="pods-not-synced"}': 1,
      'reconciles_total{result="skipped"}': 1,
      'reconciles_total{result="failed"}': 1,
    });
  });

  it("say whether the newest configuration is the one that holds, and count the others", async () => {
    const reloaded = (result: "loaded" | "refused"): ReportEvent => ({ kind: "config-reloaded", result, message: "x" });

    const [start, refused, corrected] = await Promise.all([
      samplesAfter(),
      samplesAfter(reloaded("refused")),
      samplesAfter(reloaded("refused"), reloaded("refused"), reloaded("loaded")),
    ]);

    expect([start, refused, corrected].map((samples) => samples["config_last_reload_successful"])).toEqual([1, 0, 1]);
    expect(corrected).toMatchObject({
      'config_reloads_total{result="refused"}': 2,
      'config_reloads_total{result="loaded"}': 1,
    });
  });

  it("say whether the pods are known, what runs, and how long calls to the runtime take", async () => {
    const known: ReportEvent = { kind: "pods-synced", synced: true, message: "" };
    const call: ReportEvent = { kind: "runtime-call", call: "images.list", seconds: 0.02 };

    const samples = await samplesAfter(known, call);
    const later = await samplesAfter(known, { ...known, synced: false });

    expect([samples["pods_synced"], later["pods_synced"]]).toEqual([1, 0]);
    expect(samples['build_info{version="1.2.3",runtime="containerd",runtime_version="2.1"}']).toBe(1);
    expect(samples['runtime_call_duration_seconds_count{call="images.list"}']).toBe(1);
  });

  it("carry no image name, digest or pod in any label", async () => {
    const events = mixed.names.map((outcome): ReportEvent => ({ kind: "name-done", outcome }));

    const samples = await samplesAfter(planned, ...events, roundDone(mixed));

    expect(Object.keys(samples).filter((sample) => /r\.example|sha256|default\/p|a:/.test(sample))).toEqual([]);
  });

  it("exist with help and type from the start, also those that nothing has moved yet", async () => {
    const { registry } = createMetrics(build);

    const text = await registry.metrics();

    for (const { name, type, help } of Object.values(metricTable)) {
      expect(text).toContain(`# HELP prunelet_${name} ${help}\n# TYPE prunelet_${name} ${type}\n`);
    }
  });

  it("have names that tell their unit and kind", () => {
    for (const { name, type } of Object.values(metricTable)) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      if (type === "counter") expect(name).toMatch(/_total$/);
      if (type === "histogram") expect(name).toMatch(/_seconds$/);
    }
  });

  it("live in a registry of their own each time", async () => {
    const first = createMetrics(build);
    const second = createMetrics(build);

    first.sink(roundDone(good));

    expect(await second.registry.metrics()).toContain("prunelet_reclaimed_bytes_total 0");
  });
});

describe("the metrics of a full disk", () => {
  const filesystem = { path: "/images", capacityBytes: 1_000, usedBytes: 900, inodes: 100, inodesUsed: 10 };
  const demand = { mode: "pressure", bytes: 200, inodes: 3, because: "90% of bytes used" } as const;
  const holding = { inUse: 300, pinned: 0, young: 100, kept: 0, other: 500 };
  const unrelieved: ReportEvent = {
    kind: "pressure",
    level: "pressure",
    result: "unrelieved",
    filesystem,
    missing: { bytes: 150, inodes: 0 },
    holding,
    because: "90% of bytes used",
  };

  it("say how bad it is, what must be freed, and how full it is between two rounds", async () => {
    const seen = (one: typeof demand | undefined): ReportEvent => ({
      kind: "filesystem-seen",
      filesystem,
      demand: one,
    });

    expect(await samplesAfter(seen(demand))).toMatchObject({
      'pressure_level{path="/images"}': 1,
      'pressure_demand_bytes{path="/images"}': 200,
      'pressure_demand_inodes{path="/images"}': 3,
      'filesystem_used_bytes{path="/images"}': 900,
      filesystem_visible: 1,
    });
    expect(await samplesAfter(seen(demand), unrelieved, seen(undefined))).toMatchObject({
      'pressure_level{path="/images"}': 0,
      'pressure_shortfall_bytes{path="/images"}': 0,
    });
  });

  it("say what an episode could not free, and what holds the space", async () => {
    expect(await samplesAfter(unrelieved)).toMatchObject({
      'pressure_episodes_total{result="unrelieved"}': 1,
      'pressure_episodes_total{result="relieved"}': 0,
      'pressure_shortfall_bytes{path="/images"}': 150,
      'pressure_held_bytes{by="in_use"}': 300,
      'pressure_held_bytes{by="young"}': 100,
      'pressure_held_bytes{by="other"}': 500,
    });
  });

  it("say that the disk cannot be judged", async () => {
    expect(await samplesAfter({ kind: "filesystem-unseen", message: "no" })).toMatchObject({ filesystem_visible: 0 });
  });

  it.each<ReportEvent>([
    { kind: "filesystem-unseen", message: "no" },
    { kind: "config-reloaded", result: "loaded", message: "changed: pressure.enabled" },
  ])("say nothing of an earlier demand after $kind: the alert must not go on for ever", async (event) => {
    const samples = await samplesAfter({ kind: "filesystem-seen", filesystem, demand }, event);

    expect(Object.keys(samples).filter((name) => name.startsWith("pressure_level"))).toEqual([]);
    expect(Object.keys(samples).filter((name) => name.startsWith("pressure_demand"))).toEqual([]);
  });

  it("count rounds by what began them and plans by the limits that acted", async () => {
    const braked = { ...plan, brakes: [{ code: "backoff" as const, detail: "x", images: 1 }] };
    const withheld = { code: "outside-window", detail: "no window is open" } as const;

    const samples = await samplesAfter(
      { ...planned, plan: braked, trigger: "event" },
      { ...planned, trigger: "interval", withheld },
    );

    expect(samples).toMatchObject({
      'rounds_total{trigger="event"}': 1,
      'rounds_total{trigger="interval"}': 1,
      'rounds_total{trigger="pressure"}': 0,
      'brakes_total{code="backoff"}': 1,
      'brakes_total{code="outside-window"}': 1,
      'brakes_total{code="max-removals"}': 0,
    });
  });
});
