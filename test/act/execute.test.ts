// What happens when the runtime fails or falls silent while a plan is carried out, and how much is done side by side.
import { describe, expect, it } from "vitest";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { planOn } from "../support/executed-round.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { waitFor } from "../support/wait.ts";
import { inNamespace, manyImages, one, resultsOf, three, threeImages, two } from "./nodes.ts";

describe("an image that others were built on", () => {
  it("is touched only when those are gone", async () => {
    const built = { ...two, parent: one.target };
    const top = { ...three, parent: built.target };
    const names = [one, built, top].map(({ target }, i) => nameOf(`r.example/${i}:1`, target));
    const node = await planOn(nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images: [one, built, top] })] }));

    const outcome = await node.run({ concurrency: 4 });

    expect(outcome.names.map(({ name }) => name)).toEqual(["r.example/2:1", "r.example/1:1", "r.example/0:1"]);
  });
});

describe("a removal that fails", () => {
  it("does not stop the others and tells why", async () => {
    const node = await planOn(threeImages());
    node.runtime.failNext("removeName", new RuntimeError("conflict", "remove name", "locked"));

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["failed", "removed", "removed"]);
    expect(outcome.names[0]?.result).toEqual({ kind: "failed", reason: "conflict", message: "remove name: locked" });
    expect(outcome.deleted).toHaveLength(2);
  });

  it.each([
    ["unavailable", "unavailable"],
    ["timeout", "deadline"],
    ["not-found", "not_found"],
    ["conflict", "conflict"],
    ["denied", "permission_denied"],
    ["invalid-argument", "invalid_argument"],
    ["unsupported", "unknown"],
    ["internal", "unknown"],
  ] as const)("turns the runtime's code %s into the reason %s", async (code, reason) => {
    const node = await planOn(threeImages());
    node.runtime.failNext("removeName", new RuntimeError(code, "remove name", "no"));

    const outcome = await node.run();

    expect(outcome.names[0]?.result).toMatchObject({ kind: "failed", reason });
  });

  it.each([
    ["could not be removed", "denied", "failed"],
    ["the runtime refused for a container that no check had seen", "in-use", "in-use"],
  ] as const)("keeps the ID name of an image whose tag %s", async (_, code, kind) => {
    const names = [nameOf("r.example/one:1", one.target), nameOf(one.id, one.target)];
    const node = await planOn(inNamespace("k8s.io", names));
    node.runtime.failNext("removeName", new RuntimeError(code, "remove name", "no"));

    const outcome = await node.run();

    expect(resultsOf(outcome)).toEqual({ "r.example/one:1": kind, [one.id]: "skipped" });
    expect(outcome.deleted).toEqual([]);
    expect(node.names("k8s.io")).toEqual(["r.example/one:1", one.id]);
  });

  it("does not remove a name when the containers cannot be read", async () => {
    const node = await planOn(threeImages());
    node.runtime.failNext("containers", new RuntimeError("internal", "list containers", "broken"));

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["failed", "removed", "removed"]);
    expect(node.names("k8s.io")).toEqual([node.plan.images[0]?.names[0]?.name]);
  });

  it("ends the attempts when the runtime does not answer three calls in a row", async () => {
    const node = await planOn(manyImages(50));
    const release = node.runtime.hang("removeName");
    const startedAt = performance.now();

    const outcome = await node.run({ callTimeoutMs: 20 }).finally(release);

    const kinds = Object.values(resultsOf(outcome));
    expect(kinds.filter((kind) => kind === "failed")).toHaveLength(3);
    expect(kinds.filter((kind) => kind === "skipped")).toHaveLength(47);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(node.runtime.callCount("collect")).toBe(0);
  });

  it("goes on when the runtime answers again after two silent calls", async () => {
    const node = await planOn(manyImages(5));
    const gone = () => new RuntimeError("unavailable", "remove name", "connection refused");
    node.runtime.failNext("removeName", gone());
    node.runtime.failNext("removeName", gone());

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["failed", "failed", "removed", "removed", "removed"]);
  });

  it("says that the space follows later when the runtime falls silent after some removals", async () => {
    const node = await planOn(manyImages(5));
    const outcome = await node.run({
      onName: () => node.runtime.failNext("removeName", new RuntimeError("unavailable", "remove name", "gone")),
    });

    expect(outcome.collectFailure).toMatchObject({ reason: "unavailable" });
    expect(outcome.reclaimedBytes).toBe(0);
  });

  it("reports a failed collection beside the names that went", async () => {
    const node = await planOn(threeImages());
    node.runtime.failNext("collect", new RuntimeError("timeout", "collect", "no answer"));

    const outcome = await node.run();

    expect(outcome.deleted).toHaveLength(3);
    expect(outcome.collectFailure).toEqual({ reason: "deadline", message: "collect: no answer" });
    expect(outcome.reclaimedBytes).toBe(0);
  });

  it("works without events from the runtime", async () => {
    const node = await planOn(threeImages());
    node.runtime.failNext("events", new RuntimeError("unsupported", "events", "none here"));

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["removed", "removed", "removed"]);
  });
});

describe("an execution", () => {
  it("skips what has not begun when it is told to stop, and still collects", async () => {
    const node = await planOn(threeImages());
    const stop = new AbortController();

    const outcome = await node.run({ signal: stop.signal, onName: () => stop.abort() });

    expect(Object.values(resultsOf(outcome))).toEqual(["removed", "skipped", "skipped"]);
    expect(node.runtime.callCount("collect")).toBe(1);
    expect(outcome.reclaimedBytes).toBeGreaterThan(0);
  });

  it("gives up a removal that hangs some time after it is told to stop, whatever its deadline", async () => {
    const node = await planOn(threeImages());
    const stop = new AbortController();
    const clock = createFakeClock();
    node.runtime.hang("removeName");

    const running = node.run({ signal: stop.signal, clock, callTimeoutMs: 86_400_000 });
    await waitFor("the removal to begin", () => node.runtime.callCount("removeName") === 1, { intervalMs: 1 });
    stop.abort();
    clock.advance(20_000);

    const { names } = await running;
    expect(names.map(({ result }) => result.kind)).toEqual(["failed", "skipped", "skipped"]);
    expect(names[0]?.result).toMatchObject({ reason: "deadline" });
  });

  it("tells of a removal that the runtime answered too late that it failed, though it was told to stop meanwhile", async () => {
    const node = await planOn(threeImages());
    const stop = new AbortController();
    node.runtime.beforeNext("removeName", () => stop.abort());
    node.runtime.failNext("removeName", new RuntimeError("timeout", "remove name", "no answer"));

    const { names } = await node.run({ signal: stop.signal });

    expect(names.map(({ result }) => result.kind)).toEqual(["failed", "skipped", "skipped"]);
  });

  it("asks the runtime for nothing when there is nothing to do", async () => {
    const node = await planOn(nodeOf({ namespaces: [namespaceOf("k8s.io")] }));

    const outcome = await node.run();

    expect(outcome).toEqual({ names: [], deleted: [], reclaimedBytes: 0 });
    expect(node.runtime.callCount("collect") + node.runtime.callCount("containers")).toBe(0);
  });

  it("collects once, after the last removal", async () => {
    const node = await planOn(manyImages(10));
    const left: number[] = [];
    node.runtime.beforeNext("collect", () => left.push(node.names("k8s.io").length));

    await node.run({ concurrency: 4 });

    expect(left).toEqual([0]);
    expect(node.runtime.callCount("collect")).toBe(1);
  });

  it("removes no more images side by side than it may", async () => {
    const node = await planOn(manyImages(12));
    let running = 0;
    let most = 0;
    const { removeName } = node.runtime;
    const counted: typeof removeName = async (...args) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      return removeName(...args).finally(() => {
        running -= 1;
      });
    };

    await node.run({ concurrency: 3, runtime: { ...node.runtime, removeName: counted } });

    expect(most).toBe(3);
  });

  it("measures how long each name took", async () => {
    const node = await planOn(threeImages());
    const clock = createFakeClock();
    node.runtime.beforeNext("removeName", () => clock.advance(1_500));

    const outcome = await node.run({ clock });

    expect(outcome.names.map(({ seconds }) => seconds)).toEqual([1.5, 0, 0]);
  });

  it("counts bytes that a container still holds as not reclaimed", async () => {
    const node = await planOn(threeImages());
    // A container that names no image keeps its layers all the same, as a real one does.
    const key = one.snapshots[0]?.key ?? "";
    node.runtime.beforeNext("collect", () => node.runtime.addContainer("k8s.io", { id: "late", snapshotKey: key }));

    const outcome = await node.run();

    expect(node.plan.plannedBytes - outcome.reclaimedBytes).toBe(2_000);
  });
});
