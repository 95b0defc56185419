// What happens while a plan is carried out on a runtime that removes images whole: one removal an image, one outcome a name.
import { describe, expect, it } from "vitest";
import { createFreedMeter } from "../../src/act/measure.ts";
import type { ImageUsage } from "../../src/runtime/runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { planOn, wholeImages } from "../support/executed-round.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { nameOf } from "../support/node-builder.ts";
import { inNamespace, manyImages, one, resultsOf, threeImages, two } from "./nodes.ts";

const twoTags = inNamespace("cri", [nameOf("r.example/one:1", one.target), nameOf("r.example/one:2", one.target)]);
const whole = { capabilities: wholeImages };

describe("an image that goes whole", () => {
  it("is removed by one call, with an outcome for each name and the time shared out", async () => {
    const node = await planOn(twoTags, whole);
    const clock = { ...createFakeClock(now), sleep: async () => {} };
    node.runtime.beforeNext("removeImage", () => clock.advance(3_000));

    const outcome = await node.run({ clock });

    expect(resultsOf(outcome)).toEqual({ "r.example/one:1": "removed", "r.example/one:2": "removed" });
    expect(outcome.deleted).toMatchObject([{ namespace: "cri", id: one.id, reason: "unused" }]);
    expect(outcome.names.map(({ seconds }) => seconds)).toEqual([1.5, 1.5]);
    expect(node.runtime.callCount("removeImage")).toBe(1);
    expect(node.names("cri")).toEqual([]);
  });

  it("stays with all its names when a container needs it by now", async () => {
    const node = await planOn(twoTags, whole);
    node.runtime.addContainer("cri", { id: "late", image: "r.example/one:2" });

    const outcome = await node.run();

    expect(resultsOf(outcome)).toEqual({ "r.example/one:1": "in-use", "r.example/one:2": "in-use" });
    expect(outcome.names[0]?.result).toMatchObject({ message: expect.stringContaining("container late") });
    expect(node.names("cri")).toHaveLength(2);
    expect(outcome.deleted).toEqual([]);
  });

  it("stays when it got a name that nobody judged", async () => {
    const node = await planOn(twoTags, whole);
    node.runtime.tag("cri", "r.example/one:new", one.target);

    const outcome = await node.run();

    expect(outcome.names[0]?.result).toEqual({
      kind: "in-use",
      message: "it is called r.example/one:new as well by now",
    });
    expect(node.names("cri")).toHaveLength(3);
  });

  it("goes without a name that points to another image by now", async () => {
    const names = [
      ...twoTags.namespaces.flatMap((namespace) => namespace.names),
      nameOf("r.example/two:1", two.target),
    ];
    const node = await planOn(inNamespace("cri", names), whole);
    node.runtime.addContainer("cri", { id: "runs", imageId: two.id });
    node.runtime.tag("cri", "r.example/one:2", two.target);

    const outcome = await node.run();

    expect(resultsOf(outcome)).toEqual({
      "r.example/one:1": "removed",
      "r.example/one:2": "moved",
      "r.example/two:1": "in-use",
    });
    expect(outcome.deleted.map(({ id }) => id)).toEqual([one.id]);
    expect(node.names("cri").sort()).toEqual(["r.example/one:2", "r.example/two:1"]);
  });

  it("fails with all its names when the runtime fails, and the others go", async () => {
    const node = await planOn(threeImages(), whole);
    node.runtime.failNext("removeImage", new RuntimeError("conflict", "remove image", "still listed"));

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["failed", "removed", "removed"]);
    expect(outcome.names[0]?.result).toEqual({
      kind: "failed",
      reason: "conflict",
      message: "remove image: still listed",
    });
    expect(outcome.deleted).toHaveLength(2);
  });

  it("is not tried any more once the runtime fell silent", async () => {
    const node = await planOn(manyImages(20), whole);
    const release = node.runtime.hang("removeImage");

    const outcome = await node.run({ callTimeoutMs: 20 }).finally(release);

    const kinds = Object.values(resultsOf(outcome));
    expect([kinds.filter((kind) => kind === "failed"), kinds.filter((kind) => kind === "skipped")]).toMatchObject({
      0: { length: 3 },
      1: { length: 17 },
    });
  });
});

describe("the space that was freed", () => {
  it("is what images take less, once two counts after the removal are the same", async () => {
    const counts = [count(1_000, -1), count(1_000, -1), count(900, 1), count(400, 2), count(400, 3)];
    const { meter, left } = await meterOver(counts);

    expect(await meter.freedBy([deletedOne], {})).toBe(600);
    expect(left()).toBe(0);
  });

  it("is known at once where nothing is freed later", async () => {
    const final = { ...count(700, 1), exactNow: true };
    const { meter, left } = await meterOver([count(1_000, -1), final, count(400, 2)]);

    expect(await meter.freedBy([deletedOne], {})).toBe(300);
    expect(left()).toBe(0);
  });

  it("is what the last count says when counting does not keep up", async () => {
    const { meter } = await meterOver([count(1_000, -1), count(800, -1)]);

    expect(await meter.freedBy([deletedOne], {})).toBe(200);
  });

  it("is what is known by then when the round is stopped", async () => {
    const { meter, left } = await meterOver([count(1_000, -1), count(800, -1), count(400, 2), count(400, 3)]);

    expect(await meter.freedBy([deletedOne], {}, AbortSignal.abort())).toBe(200);
    expect(left()).toBe(1);
  });

  it("is never less than nothing: others pull meanwhile", async () => {
    const { meter } = await meterOver([count(1_000, -1), count(5_000, 1), count(5_000, 2)]);

    expect(await meter.freedBy([deletedOne], {})).toBe(0);
  });

  it("is read from the filesystem where images are not counted", async () => {
    const { meter } = await meterOver([undefined], [9_000, 7_000, 7_000]);

    expect(await meter.freedBy([deletedOne], {})).toBe(2_000);
  });

  it("is not told when images were counted before and only the filesystem answers afterwards", async () => {
    const { meter } = await meterOver([count(1_000, -1), undefined], [400]);

    expect(await meter.freedBy([deletedOne], {})).toBe(0);
  });

  it("is not told when only the filesystem answered before and images are counted afterwards", async () => {
    const { meter } = await meterOver([undefined, { ...count(400, 1), exactNow: true }], [9_000]);

    expect(await meter.freedBy([deletedOne], {})).toBe(0);
  });

  it("is nothing that can be told where nobody counts", async () => {
    const { meter } = await meterOver([undefined], []);

    expect(await meter.freedBy([deletedOne], {})).toBe(0);
  });
});

const now = Date.UTC(2026, 0, 1);
const deletedOne = {
  action: "delete",
  namespace: "cri",
  image: one,
  names: [],
  reasons: [],
  bytes: 0,
  bytesInPlan: 0,
} as const;

/** `seconds` from the moment at which the removal is done. */
function count(bytes: number, seconds: number): ImageUsage {
  return { bytes, countedAt: now + seconds * 1_000 };
}

/** A meter over a runtime that gives these counts one after the other, and the last one from then on. */
async function meterOver(counts: readonly (ImageUsage | undefined)[], disk: readonly number[] = []) {
  const { runtime } = await planOn(twoTags, whole);
  const remaining = [...counts];
  const used = [...disk];
  const clock = createFakeClock(now);
  const meter = await createFreedMeter(
    {
      ...runtime,
      imageUsage: async () => (remaining.length > 1 ? remaining.shift() : remaining[0]),
      filesystems: async () => {
        const usedBytes = used.length > 1 ? used.shift() : used[0];
        if (usedBytes === undefined) return [];
        return [{ path: "/", capacityBytes: 10_000, usedBytes, inodes: 1, inodesUsed: 1 }];
      },
    },
    { ...clock, now: clock.now, sleep: async (milliseconds) => clock.advance(milliseconds) },
    {},
  );
  return { meter, left: () => remaining.length - 1 };
}
