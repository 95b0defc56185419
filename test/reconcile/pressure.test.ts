// The loop when the filesystem runs full: when it acts, how far it goes, when it stops, and what it says then.
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { Hold } from "../../src/reconcile/controller.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { waitFor } from "../support/wait.ts";
import { type Loop, namesOf, plain, rounds, settled, start } from "./loop.ts";

const { high, low, emergency, inodes } = configSchema.parse({}).pressure;
const pressure = { watermarks: { bytes: { high, low, emergency }, inodes }, check: 30_000 };
const day = 86_400_000;
/** Ages keep every image for a day. */
const aged = () => ({ ...removeAllUnused, unusedFor: day });

/** Bytes of one image of these tests. */
const imageBytes = 3_300;

interface Full {
  readonly images: number;
  /** Images of this kind that fit on the filesystem. */
  readonly room: number;
  readonly other?: number;
  readonly inUse?: number;
}

/** A loop on a node with unused images on a filesystem of a size, the first ones of them in use. */
function startOn(full: Full, more: Parameters<typeof start>[0] = {}): Loop {
  return start({ policyAt: aged, pressure, runtime: fullRuntime(full), ...more });
}

function of<Kind extends ReportEvent["kind"]>(loop: Loop, kind: Kind): Extract<ReportEvent, { kind: Kind }>[] {
  return loop.events.filter((event): event is Extract<ReportEvent, { kind: Kind }> => event.kind === kind);
}

function named(loop: Loop, runtime: { snapshot(): ReturnType<Loop["runtime"]["snapshot"]> }): number | undefined {
  return namesOf({ ...loop, runtime: runtime as Loop["runtime"] });
}

describe("a full filesystem", () => {
  it("is relieved down to the low mark and no further, although ages keep every image", async () => {
    const runtime = fullRuntime({ images: 9, room: 10 });
    const loop = start({ policyAt: aged, pressure, runtime });
    await loop.asleep(1);

    expect(named(loop, runtime)).toBe(7);
    expect(of(loop, "planned")[0]).toMatchObject({ trigger: "start", plan: { demand: { mode: "pressure" } } });
    expect(of(loop, "pressure")).toMatchObject([{ result: "relieved", missing: { bytes: 0 } }]);
  });

  it("is left alone below the high mark", async () => {
    const runtime = fullRuntime({ images: 8, room: 10 });
    const loop = start({ policyAt: aged, pressure, runtime });
    await loop.asleep(1);

    expect(named(loop, runtime)).toBe(8);
    expect(of(loop, "pressure")).toEqual([]);
  });

  it("is noticed between two rounds", async () => {
    const runtime = fullRuntime({ images: 8, room: 10 });
    const loop = start({ policyAt: aged, pressure, runtime, interval: day });
    await loop.asleep(1);

    runtime.addImage("k8s.io", imageOf("new"), ["r.example/new:1"]);
    loop.clock.advance(30_000);
    await loop.asleep(2);

    expect(of(loop, "planned").map(({ trigger }) => trigger)).toEqual(["start", "pressure"]);
    expect(named(loop, runtime)).toBe(7);
  });

  it("ends a routine round that pauses between removals, and comes next", async () => {
    const runtime = fullRuntime({ images: 8, room: 10 });
    const loop = start({ pressure, runtime, interval: day, pauseMs: day });
    await loop.asleep(2);

    for (const name of ["one", "two"]) runtime.addImage("k8s.io", imageOf(name), [`r.example/${name}:1`]);
    loop.clock.advance(30_000);
    await waitFor("the second round", () => of(loop, "planned").length === 2, { intervalMs: 1 });

    expect(of(loop, "round-done")[0]?.outcome.deleted).toHaveLength(1);
    expect(of(loop, "planned")[1]).toMatchObject({ trigger: "pressure", plan: { demand: { mode: "pressure" } } });
  });

  it("that comes up as rounds are put on hold waits with them", async () => {
    const runtime = fullRuntime({ images: 8, room: 10 });
    const reports: ReportEvent[] = [];
    const held: { hold?: Hold } = {};
    const loop = start({
      runtime,
      settings: () => ({ ...plain, pressure, interval: day, pauseMs: day, ...held }),
      // A loop that does not rest would never let this test end.
      report: (event) => {
        reports.push(event);
        if (reports.length > 1_000) throw new Error("the loop does not rest");
      },
    });
    await loop.asleep(2);

    for (const name of ["one", "two"]) runtime.addImage("k8s.io", imageOf(name), [`r.example/${name}:1`]);
    held.hold = { reason: "disabled", message: "switched off" };
    loop.clock.advance(30_000);
    await waitFor("the hold", () => reports.some(({ kind }) => kind === "round-skipped"), { intervalMs: 1 });
    await settled();

    expect(reports.filter(({ kind }) => kind === "round-skipped")).toHaveLength(1);
  });

  it("in an emergency is freed without the pauses of the episode that it comes up in", async () => {
    const runtime = fullRuntime({ images: 18, room: 20 });
    const loop = start({ policyAt: aged, pressure, runtime, interval: day, pauseMs: day });
    await loop.asleep(2);

    for (const name of ["one", "two", "three", "four"])
      runtime.addImage("k8s.io", imageOf(name), [`r.example/${name}:1`]);
    loop.clock.advance(30_000);
    const second = () => {
      // What the first round removed may be free only a moment later.
      loop.clock.advance(250);
      return of(loop, "round-done")[1];
    };
    const emergency = await waitFor("the second round", second, { intervalMs: 1 });

    expect(
      of(loop, "planned")
        .map(({ plan }) => plan.demand?.mode)
        .slice(0, 2),
    ).toEqual(["pressure", "emergency"]);
    expect(emergency?.outcome.deleted.length).toBeGreaterThan(1);
  });

  it("is not said to be past relief by an episode that was put on hold", async () => {
    const held: { hold?: Hold } = {};
    const settings = () => ({ ...plain, policyAt: aged, pressure, interval: day, pauseMs: day, ...held });
    const loop = startOn({ images: 36, room: 40 }, { settings });
    await waitFor("the pause after the first removal", () => of(loop, "name-done").length > 0, { intervalMs: 1 });

    held.hold = { reason: "disabled", message: "switched off" };
    loop.controller.settingsChanged();
    const skipped = () => {
      // What the round removed may be free only a moment later.
      loop.clock.advance(250);
      return of(loop, "round-skipped").length > 0;
    };
    await waitFor("the hold", skipped, { intervalMs: 1 });

    expect(of(loop, "round-done")).toHaveLength(1);
    expect(of(loop, "pressure")).toEqual([]);
  });

  it("is not looked at without the setting", async () => {
    const runtime = fullRuntime({ images: 10, room: 10 });
    const loop = start({ policyAt: aged, runtime });
    await loop.asleep(1);

    expect(named(loop, runtime)).toBe(10);
  });

  it("takes young images too in an emergency, and those in use never", async () => {
    const policyAt = () => ({ ...removeAllUnused, unusedFor: day, minAge: day });
    const mild = startOn({ images: 9, room: 10 }, { policyAt });
    const hard = startOn({ images: 10, room: 10, inUse: 4 }, { policyAt });
    await mild.asleep(1);
    await hard.asleep(1);

    expect(of(mild, "round-done").at(-1)?.outcome.deleted).toEqual([]);
    expect(of(mild, "pressure")).toMatchObject([{ result: "unrelieved", holding: { young: 9 * imageBytes } }]);
    const deleted = of(hard, "round-done").flatMap(({ outcome }) => outcome.deleted);
    expect(deleted).toHaveLength(2);
    expect(of(hard, "pressure")).toMatchObject([{ level: "emergency", result: "relieved" }]);
  });
});

describe("a filesystem that cannot be relieved", () => {
  const full: Full = { images: 4, room: 10, other: 6, inUse: 3 };

  it("is told with what holds the space, after everything that may go is gone", async () => {
    const loop = startOn(full);
    await loop.asleep(1);

    expect(of(loop, "pressure")).toMatchObject([
      {
        result: "unrelieved",
        missing: { bytes: 2 * imageBytes },
        holding: { inUse: 3 * imageBytes, pinned: 0, young: 0, kept: 0, other: 6 * imageBytes },
        because: expect.stringContaining("90% of bytes used"),
      },
    ]);
  });

  it("is not tried again at every look, but at the interval, and when it becomes fuller", async () => {
    const runtime = fullRuntime(full);
    const loop = start({ policyAt: aged, pressure, runtime, interval: 200_000 });
    await loop.asleep(1);
    const first = rounds(loop);

    for (let looks = 1; looks <= 3; looks++) {
      loop.clock.advance(30_000);
      await loop.asleep(looks + 1);
    }
    const meanwhile = rounds(loop) - first;
    runtime.addImage("k8s.io", imageOf("new"), ["r.example/new:1"]);
    loop.clock.advance(30_000);
    await settled();

    expect(meanwhile).toBe(0);
    expect(rounds(loop)).toBeGreaterThan(first);
  });

  it("is not drained past a limit on removals by rounds in a row", async () => {
    const policyAt = () => ({ ...aged(), brakes: { maxRemovals: 1, maxFraction: undefined } });
    const loop = startOn({ images: 10, room: 10 }, { policyAt });
    await loop.asleep(1);

    expect(of(loop, "round-done").flatMap(({ outcome }) => outcome.deleted)).toHaveLength(1);
    expect(of(loop, "planned")[0]?.plan.brakes).toMatchObject([{ code: "max-removals" }]);
  });
});

describe("a filesystem that cannot be judged", () => {
  it("ends no routine rounds: they go on as without it, and one line says why", async () => {
    const runtime = { ...fullRuntime({ images: 10, room: 10 }), filesystems: async () => [] };
    const loop = start({ pressure, runtime });
    await loop.asleep(1);

    expect(of(loop, "filesystem-unseen")).toHaveLength(1);
    expect(of(loop, "round-done")).toHaveLength(1);
    expect(named(loop, runtime)).toBe(0);
  });
});

describe("a window that is not open", () => {
  const opensAt = Date.UTC(2026, 0, 1) + 45_000;
  const windowsAt = (now: number) => ({ open: now >= opensAt, opensAt: now >= opensAt ? undefined : opensAt });

  it("close upon a round that pauses between removals: what is left over waits for the next one", async () => {
    let closesAt = Number.POSITIVE_INFINITY;
    const loop = start({
      windowsAt: (now) => ({ open: now < closesAt, opensAt: undefined }),
      pauseMs: 3_600_000,
      interval: day,
    });
    closesAt = loop.clock.now() + 60_000;
    await waitFor("the first removal", () => namesOf(loop) === 1, { intervalMs: 1 });

    for (let i = 0; i < 6; i += 1) {
      loop.clock.advance(20_000);
      await settled();
    }

    await waitFor("the end of the round", () => rounds(loop) === 1, { intervalMs: 1 });
    loop.clock.advance(7_200_000);
    await settled();
    expect(namesOf(loop)).toBe(1);
  });

  it("lets a routine round plan and remove nothing, and the next one begins when it opens", async () => {
    const loop = start({ windowsAt, interval: day });
    await loop.asleep(1);
    const before = namesOf(loop);
    loop.clock.advance(45_000);
    await loop.asleep(2);

    expect([before, namesOf(loop)]).toEqual([2, 0]);
    expect(of(loop, "planned")).toMatchObject([
      {
        trigger: "start",
        withheld: { code: "outside-window", detail: expect.stringContaining("2026-01-01T00:00:45") },
      },
      { trigger: "window" },
    ]);
    expect(of(loop, "planned")[1]?.withheld).toBeUndefined();
  });

  it("is not missed when it opens during a round that began before", async () => {
    const opening = new AbortController();
    const loop = start({ windowsAt, interval: day }, ({ clock, pods }) => {
      const { view } = pods;
      // Reading the pods is a part of each look.
      pods.view = () => {
        if (!opening.signal.aborted) clock.advance(45_000);
        opening.abort();
        return view();
      };
    });
    await loop.asleep(1);

    expect(of(loop, "planned").map(({ trigger }) => trigger)).toEqual(["start", "window"]);
    expect(namesOf(loop)).toBe(0);
  });

  it("does not hold back what a full filesystem needs", async () => {
    const loop = startOn({ images: 9, room: 10 }, { windowsAt });
    await loop.asleep(1);

    expect(of(loop, "round-done").flatMap(({ outcome }) => outcome.deleted)).toHaveLength(2);
  });
});

describe("an image whose removal fails", () => {
  it("waits longer each time, while others go", async () => {
    const policyAt = () => removeAllUnused;
    const loop = start({ policyAt, interval: 30_000 }, ({ runtime }) => {
      runtime.failNext("removeName", new RuntimeError("conflict", "remove name", "locked"));
    });
    await loop.asleep(1);
    const after = [namesOf(loop)];
    loop.clock.advance(30_000);
    await loop.asleep(2);
    after.push(namesOf(loop));
    loop.clock.advance(40_000);
    await loop.asleep(3);
    after.push(namesOf(loop));

    expect(after).toEqual([1, 1, 0]);
    expect(of(loop, "planned")[1]?.plan.brakes).toMatchObject([{ code: "backoff" }]);
  });
});

/** A runtime with so many unused images on a filesystem of which other things take a part. Sizes are counted in images. */
function fullRuntime({ images: count, room, other = 0, inUse = 0 }: Full) {
  const images = Array.from({ length: count }, (_, i) => imageOf(`image ${i}`));
  const names = images.map(({ target }, i) => nameOf(`r.example/app:${i}`, target));
  const containers = images.slice(0, inUse).map(({ id }, i) => containerOf(`user-${i}`, { imageId: id, image: id }));
  const node = nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images, containers })] });
  const filesystem = { capacityBytes: room * imageBytes, otherBytes: other * imageBytes };
  return createEmbeddedRuntime(node, { filesystem });
}
