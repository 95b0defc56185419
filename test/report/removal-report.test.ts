// What removals on request leave in metrics and log: names and images apart, failures by their reason.
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { ReferenceOutcome, RemovalOutcome } from "../../src/act/remove-outcome.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { logSink } from "../../src/report/log.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { removalsReport } from "../../src/report/removal-report.ts";
import { imageOf, nodeOf } from "../support/node-builder.ts";

const image = imageOf("app");
const names = ["registry.example/app:1", "registry.example/app:2"].map((name) => ({ name, target: image.target }));
const deleted = reference({ reference: "app", names, emptied: [image], plannedBytes: 40 });
const refused = reference({
  reference: "busy",
  error: { status: 409, reason: "conflict", message: "conflict: in use" },
});
const outcome: RemovalOutcome = { references: [deleted, refused], reclaimedBytes: 40 };
const events: readonly ReportEvent[] = [
  { kind: "reference-done", outcome: deleted },
  { kind: "reference-done", outcome: refused },
  { kind: "references-done", outcome },
];

describe("removals on request", () => {
  it("count names and images apart, and failures by reason", async () => {
    const { registry, sink } = createMetrics({ version: "1", runtime: "embedded", runtimeVersion: "1" });

    for (const event of events) sink(event);

    const text = await registry.metrics();
    expect(text).toContain('prunelet_names_untagged_total{reason="requested"} 2');
    expect(text).toContain('prunelet_images_deleted_total{reason="requested"} 1');
    expect(text).toContain('prunelet_removal_failures_total{reason="conflict"} 1');
    expect(text).toContain("prunelet_reclaimed_bytes_total 40");
  });

  it("are logged with one line for each name, each image and each failure", () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });

    for (const event of events) logSink(log)(event);

    expect(lines.map(({ msg }) => msg)).toEqual(["untagged", "untagged", "deleted", "removal failed", "removal done"]);
    expect(lines[2]).toMatchObject({ image: image.id, reason: "requested" });
    expect(lines[3]).toMatchObject({ reference: "busy", reason: "conflict", cause: "conflict: in use" });
  });

  it("are one report, with the stored names and the image IDs", () => {
    const report = removalsReport({ state: nodeOf(), outcome, durationMs: 5 });

    expect(report).toMatchObject({
      untagged: names.map(({ name }) => name),
      deleted: [image.id],
      failed: [{ name: "busy", reason: "conflict", message: "conflict: in use" }],
      plannedBytes: 40,
      reclaimedBytes: 40,
    });
    expect(report.results.map(({ error }) => error?.status ?? null)).toEqual([null, 409]);
  });
});

function reference(more: Partial<ReferenceOutcome>): ReferenceOutcome {
  const nothing = { removed: [], events: [], names: [], emptied: [], error: undefined, touched: true };
  return { reference: "", namespace: "default", plannedBytes: 0, seconds: 0.1, ...nothing, ...more };
}
