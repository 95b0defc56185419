// Which reports become Kubernetes events, and how few of them are written.
import { describe, expect, it } from "vitest";
import type { ReportEvent } from "../../src/report/event.ts";
import { type CountedEvent, eventSink, toNodeEvents } from "../../src/report/events.ts";

const minute = 60_000;
const skipped = (message: string, reason: "pods-not-synced" | "disabled" = "pods-not-synced"): ReportEvent => ({
  kind: "round-skipped",
  seconds: 0,
  reason,
  message,
});
const refused = (message: string): ReportEvent => ({ kind: "config-reloaded", result: "refused", message });

function sink({ enabled = true, maxPerHour = 100 } = {}) {
  const written: CountedEvent[] = [];
  const time = { now: 0 };
  const limits = () => ({ enabled, maxPerHour });
  const report = eventSink({ nodeName: "n", now: () => time.now, limits, write: (event) => written.push(event) });
  return { report, written, time };
}

describe("the same event", () => {
  it("is written once in ten minutes, then counted up under the same name", () => {
    const { report, written, time } = sink();

    for (time.now = 0; time.now <= 10 * minute; time.now += minute) report(skipped(`no news for ${time.now} ms`));

    expect(written.map(({ count }) => count)).toEqual([1, 11]);
    expect(new Set(written.map(({ name }) => name)).size).toBe(1);
    expect(written[1]).toMatchObject({ firstAt: 0, lastAt: 10 * minute });
  });

  it("is a new one after an hour, when the API server has forgotten the first", () => {
    const { report, written, time } = sink();

    report(refused("a"));
    time.now = 60 * minute;
    report(refused("a"));

    expect(written.map(({ count }) => count)).toEqual([1, 1]);
    expect(new Set(written.map(({ name }) => name)).size).toBe(2);
  });

  it("about a node that is left alone is written once, until the node is looked after again", () => {
    const { report, written, time } = sink();
    const planned = { kind: "planned", plan: { images: [] } } as unknown as ReportEvent;

    for (time.now = 0; time.now < 40 * minute; time.now += 5 * minute) report(skipped("left alone", "disabled"));
    report(planned);
    report(skipped("left alone", "disabled"));

    expect(written.map(({ type, count }) => [type, count])).toEqual([
      ["Normal", 1],
      ["Normal", 2],
    ]);
  });
});

describe("events", () => {
  it("are limited in an hour, and written again in the next", () => {
    const { report, written, time } = sink({ maxPerHour: 3 });

    for (let i = 0; i < 10; i++) report(refused(`problem ${i}`));
    const inTheFirstHour = written.length;
    time.now = 61 * minute;
    report(refused("another"));

    expect([inTheFirstHour, written.length]).toEqual([3, 4]);
  });

  it("are written again when the clock was set back by a day after the hour's were used up", () => {
    const { report, written, time } = sink({ maxPerHour: 1 });
    time.now = 2_000 * minute;
    report(refused("one"));

    time.now -= 24 * 60 * minute;
    report(refused("another"));

    expect(written).toHaveLength(2);
  });

  it("are not written when they are switched off", () => {
    const { report, written } = sink({ enabled: false });

    report(refused("a"));

    expect(written).toEqual([]);
  });

  it("have names that differ between causes and moments, and are valid", () => {
    const { report, written, time } = sink();

    report(refused("a"));
    report(refused("b"));
    time.now = 90 * minute;
    report(refused("a"));

    expect(new Set(written.map(({ name }) => name)).size).toBe(3);
    for (const { name } of written) expect(name).toMatch(/^n\.[0-9a-f]+$/);
  });

  it("are never longer than the API server takes", () => {
    const { report, written } = sink();

    report(refused("x".repeat(5_000)));

    expect(written[0]?.message.length).toBe(1_000);
  });
});

describe("a report", () => {
  const outcome = (results: readonly object[], deleted = 0, reclaimedBytes = 0): ReportEvent =>
    ({
      kind: "round-done",
      outcome: { names: results.map((result) => ({ result })), deleted: Array(deleted).fill({}), reclaimedBytes },
    }) as unknown as ReportEvent;

  it.each([
    ["of a round that removed nothing is no event", outcome([{ kind: "in-use" }, { kind: "skipped" }]), []],
    [
      "of removed images tells how many and how many bytes",
      outcome([{ kind: "removed" }, { kind: "removed" }, { kind: "removed" }], 1, 3 * 2 ** 30),
      [["Normal", "ImagesRemoved", "removed 1 image and 3 names, 3.0 GiB freed"]],
    ],
    [
      "of failures tells why",
      outcome([
        { kind: "failed", reason: "conflict" },
        { kind: "failed", reason: "conflict" },
      ]),
      [["Warning", "RemovalsFailed", "2 removals failed (conflict); the next round tries again"]],
    ],
    ["of a skipped round tells why", skipped("no list"), [["Warning", "RoundSkipped", "nothing is removed: no list"]]],
    [
      "of a failed round tells why",
      { kind: "round-failed", seconds: 1, message: "no socket" } as const,
      [["Warning", "RoundFailed", "no socket"]],
    ],
    ["of a refused configuration lists it", refused("a; b"), [["Warning", "ConfigurationRefused", "a; b"]]],
    [
      "of a loaded configuration tells what changed",
      { kind: "config-reloaded", result: "loaded", message: "changed: interval" } as const,
      [["Normal", "ConfigurationLoaded", "changed: interval"]],
    ],
    ["of a call to the runtime is no event", { kind: "runtime-call", call: "x", seconds: 1 } as const, []],
  ])("%s", (_, event, expected) => {
    expect(toNodeEvents(event).map(({ type, reason, message }) => [type, reason, message])).toEqual(expected);
  });
});

describe("pressure", () => {
  const filesystem = { path: "/images", capacityBytes: 1_000, usedBytes: 900, inodes: 100, inodesUsed: 10 };
  const holding = { inUse: 300, pinned: 0, young: 100, kept: 0, other: 500 };
  const episode = { level: "pressure", filesystem, missing: { bytes: 200, inodes: 0 }, holding } as const;
  const because = "90% of bytes used on /images, above 80%";

  it("that could not be relieved is told with what holds the space, the largest part first", () => {
    expect(toNodeEvents({ kind: "pressure", ...episode, result: "unrelieved", because })).toMatchObject([
      {
        type: "Warning",
        reason: "PressureNotRelieved",
        message:
          "90% of bytes used on /images, above 80%, and nothing is left to remove: the space is held by " +
          "what is no image (500 B), images in use (300 B), images that are too young (100 B)",
      },
    ]);
  });

  it("that was relieved is no event: the removals are one", () => {
    expect(toNodeEvents({ kind: "pressure", ...episode, result: "relieved", because })).toEqual([]);
  });

  it("is one event while only the numbers change, and another when it becomes an emergency", () => {
    const same = (level: "pressure" | "emergency", text: string) =>
      toNodeEvents({ kind: "pressure", ...episode, level, result: "unrelieved", because: text })[0]?.same;

    expect(same("pressure", because)).toBe(same("pressure", "91% of bytes used on /images, above 80%"));
    expect(same("pressure", because)).not.toBe(same("emergency", because));
  });

  it("that is not handled because the disk cannot be seen is told", () => {
    expect(toNodeEvents({ kind: "filesystem-unseen", message: "set pressure.path" })).toMatchObject([
      { type: "Warning", reason: "DiskNotVisible", message: "disk pressure is not handled: set pressure.path" },
    ]);
  });
});
