// The JSON of plan and prune, whose field names are an interface; and bytes as people read them.
import { describe, expect, it } from "vitest";
import { formatBytes } from "../../src/report/bytes.ts";
import { planReport } from "../../src/report/plan-json.ts";
import { mixed, plan, spare, state } from "./example.ts";

describe("the JSON of a plan", () => {
  const report = planReport({ state, plan, durationMs: 45 });

  it("says what would go and that nothing went", () => {
    expect(report).toMatchObject({
      runtime: { kind: "embedded", version: "1" },
      dryRun: true,
      untagged: ["r.example/spare:1", spare.id, "r.example/used:0"],
      deleted: [spare.id],
      failed: [],
      plannedBytes: 3_300,
      reclaimedBytes: 0,
      durationMs: 45,
    });
  });

  it("gives every kept name with its image and its reasons", () => {
    expect(report.kept.map(({ name, reasons }) => [name, reasons[0]?.code])).toEqual([
      ["r.example/pinned:1", "pinned"],
      ["r.example/used:1", "used-by-pod"],
    ]);
    expect(report.kept[1]?.reasons[0]?.detail).toBe("pod default/p (Running)");
  });

  it("holds at least the fields that scripts rely on", () => {
    const fields = [
      "runtime",
      "dryRun",
      "untagged",
      "deleted",
      "kept",
      "failed",
      "plannedBytes",
      "reclaimedBytes",
      "durationMs",
    ];

    expect(Object.keys(report)).toEqual(expect.arrayContaining(fields));
  });
});

describe("the JSON of a plan that was carried out", () => {
  const report = planReport({ state, plan, durationMs: 45, outcome: mixed });

  it("says what really went", () => {
    expect(report).toMatchObject({
      dryRun: false,
      untagged: ["r.example/spare:1", "r.example/used:0"],
      deleted: [spare.id],
      failed: [{ name: "a:failed", reason: "conflict", message: "locked" }],
      reclaimedBytes: 3_300,
    });
  });

  it("says what was left alone and why", () => {
    expect(report.leftAlone).toEqual([
      { name: "a:gone", result: "already-gone", message: "somebody else removed it" },
      { name: "a:moved", result: "moved", message: "it points to another image by now" },
      { name: "a:used", result: "in-use", message: "pod default/p" },
      { name: "a:skipped", result: "skipped", message: "the round was stopped" },
    ]);
  });

  it("counts a failed collection among the failures", () => {
    const collectFailure = { reason: "deadline", message: "late" } as const;

    const { failed } = planReport({ state, plan, durationMs: 1, outcome: { ...mixed, collectFailure } });

    expect(failed.at(-1)).toEqual({ name: "", ...collectFailure });
  });
});

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [512, "512 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [10 * 1024, "10 KiB"],
    [1_503_238_554, "1.4 GiB"],
    [5 * 1024 ** 4, "5.0 TiB"],
    [4096 * 1024 ** 4, "4096 TiB"],
    [-2048, "-2.0 KiB"],
  ])("%d read as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
