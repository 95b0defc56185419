// Log lines: static messages with fields, one info line a round, a line for whatever an operator should see.
import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { ReportEvent } from "../../src/report/event.ts";
import { logSink } from "../../src/report/log.ts";
import { good, mixed, nameOutcome, plan, roundDone, spare, state } from "./example.ts";

type Line = Record<string, unknown> & { readonly level: string; readonly msg: string };

function linesOf(events: readonly ReportEvent[], level = "debug"): Line[] {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const log = pino(
    { level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
  const sink = logSink(log);
  for (const event of events) sink(event);
  return lines;
}

describe("the log", () => {
  it("has one debug line for each image's verdict, with names and reasons as fields", () => {
    const lines = linesOf([{ kind: "planned", state, plan, filesystems: [] }]);

    expect(lines.map(({ msg }) => msg)).toEqual(["delete image", "keep image", "keep image"]);
    expect(lines[0]).toMatchObject({ level: "debug", namespace: "k8s.io", reasons: ["unused"] });
    expect(lines[0]?.["names"]).toContain("r.example/spare:1");
  });

  it("does not mention verdicts at level info, but warns of what an operator should know", () => {
    const warned = { ...plan, warnings: ["container c1 names no image"] };

    const lines = linesOf([{ kind: "planned", state, plan: warned, filesystems: [] }], "info");

    expect(lines).toEqual([{ level: "warn", msg: "container c1 names no image" }]);
  });

  it("tells of each removal what the audit tells: every digest, bytes, last use, and what made it go", () => {
    const outcome = nameOutcome("r.example/spare:1", { kind: "removed" }, { target: spare.target });
    const lines = linesOf(
      [{ kind: "planned", state, plan, filesystems: [] }, { kind: "name-done", outcome }, roundDone(good)],
      "info",
    );

    const facts = { image: spare.id, digests: spare.digests, mode: "routine", reason: "unused", aloneBytes: 3_300 };
    expect(lines[0]).toMatchObject({ msg: "untagged", name: "r.example/spare:1", target: spare.target, ...facts });
    expect(lines.find(({ msg }) => msg === "deleted")).toMatchObject({ target: spare.target, bytes: 3_300, ...facts });
    expect(lines[0]).toHaveProperty("lastUsed");
  });

  it("has one info line for a good round, with counts and bytes for people and machines", () => {
    const lines = linesOf([roundDone(good)], "info");

    expect(lines.at(-1)).toMatchObject({
      level: "info",
      msg: "round done",
      untagged: 2,
      deleted: 1,
      failed: 0,
      images: { in_use: 1, kept: 1, removable: 1 },
      planned: "3.2 KiB",
      reclaimed: "3.2 KiB",
      reclaimedBytes: 3_300,
      durationMs: 300,
    });
    expect(lines.filter(({ msg }) => msg.startsWith("round"))).toHaveLength(1);
  });

  it.each([
    [{ kind: "removed" } as const, "info", "untagged"],
    [{ kind: "already-gone" } as const, "info", "name left alone"],
    [{ kind: "moved" } as const, "info", "name left alone"],
    [{ kind: "in-use", message: "pod default/p" } as const, "info", "name left alone"],
    [{ kind: "skipped", message: "stopped" } as const, "info", "name left alone"],
    [{ kind: "failed", reason: "conflict", message: "locked" } as const, "error", "removal failed"],
  ])("says of a name that ended as %j: %s %s", (result, level, msg) => {
    const [line] = linesOf([{ kind: "name-done", outcome: nameOutcome("r.example/a:1", result) }]);

    expect(line).toMatchObject({ level, msg, name: "r.example/a:1", namespace: "k8s.io" });
  });

  it("says of a round with a failure that it partly failed, and why a collection failed", () => {
    const lines = linesOf([
      roundDone(mixed),
      roundDone({ ...good, collectFailure: { reason: "deadline", message: "collect: late" } }),
    ]);

    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { msg: "round partly failed", failed: 1 },
      { msg: "collection failed", cause: "collect: late" },
      { msg: "round partly failed" },
    ]);
  });

  it("says why a round was skipped or failed, and whether the pods are known", () => {
    const lines = linesOf([
      { kind: "round-skipped", seconds: 0, reason: "pods-not-synced", message: "stale for 6m" },
      { kind: "round-failed", seconds: 0, message: "list images: no socket" },
      { kind: "pods-synced", synced: false, message: "stale for 6m" },
      { kind: "pods-synced", synced: true, message: "" },
      { kind: "notice", level: "info", message: "looking after containerd" },
    ]);

    expect(lines).toMatchObject([
      { level: "warn", reason: "pods-not-synced", cause: "stale for 6m" },
      { level: "error", cause: "list images: no socket" },
      { level: "warn", cause: "stale for 6m" },
      { level: "info" },
      { level: "info", msg: "looking after containerd" },
    ]);
  });
});

describe("the log of a full disk", () => {
  const filesystem = { path: "/images", capacityBytes: 1_000, usedBytes: 900, inodes: 100, inodesUsed: 10 };
  const episode = {
    kind: "pressure",
    level: "pressure",
    filesystem,
    missing: { bytes: 150, inodes: 0 },
    holding: { inUse: 300, pinned: 0, young: 0, kept: 0, other: 500 },
    because: "90% of bytes used on /images, above 80%",
  } as const;

  it("warns of pressure that stays, with what holds the space, and informs of pressure that is gone", () => {
    const lines = linesOf([
      { ...episode, result: "unrelieved" },
      { ...episode, result: "relieved" },
    ]);

    expect(lines).toMatchObject([
      {
        level: "warn",
        msg: "pressure could not be relieved",
        holds: "what is no image (500 B), images in use (300 B)",
      },
      { level: "info", msg: "pressure relieved" },
    ]);
  });

  it("has a line for each limit that acted, for the window and for what is demanded", () => {
    const demand = { mode: "pressure", bytes: 1, inodes: 0, because: "full" } as const;
    const braked = { ...plan, demand, brakes: [{ code: "backoff" as const, detail: "it failed", images: 1 }] };
    const withheld = { code: "outside-window", detail: "no window is open" } as const;

    const lines = linesOf([{ kind: "planned", state, plan: braked, filesystems: [], withheld }], "info");

    expect(lines).toMatchObject([
      { msg: "space is needed", because: "full" },
      { level: "warn", msg: "removals held back", code: "backoff", cause: "it failed" },
      { level: "info", msg: "removals held back", code: "outside-window" },
    ]);
  });

  it("says why pressure is not handled", () => {
    expect(linesOf([{ kind: "filesystem-unseen", message: "set pressure.path" }])).toMatchObject([
      { level: "warn", cause: "set pressure.path", msg: "disk pressure is not handled, routine rounds go on" },
    ]);
  });
});
