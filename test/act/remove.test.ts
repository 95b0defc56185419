// Removing what a person names: on a node that changes or fails between two steps, and reference after reference.
import { describe, expect, it } from "vitest";
import { removeReferences } from "../../src/act/remove.ts";
import type { RemovalOutcome } from "../../src/act/remove-outcome.ts";
import type { Image, NodeState, Pod } from "../../src/image/node-state.ts";
import { createEmbeddedRuntime, type EmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createFakePods, type FakePods } from "../support/fake-pods.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { waitFor } from "../support/wait.ts";

const app = imageOf("app");
const base = imageOf("base");
const names = ["registry.example/app:1", "registry.example/app:2", "registry.example/app:3"] as const;

describe("a removal", () => {
  it("frees the bytes that it promised, with one collection for all references", async () => {
    const node = nodeWith(app, names);

    const { outcome, runtime } = await remove(node, [...names]);

    expect(outcome.references.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(outcome.reclaimedBytes).toBeGreaterThan(0);
    expect(outcome.references.map(({ plannedBytes }) => plannedBytes)).toEqual([0, 0, outcome.reclaimedBytes]);
    expect(runtime.callCount("collect")).toBe(1);
  });

  it("lets a later reference see what an earlier one did", async () => {
    const { outcome } = await remove(nodeWith(app, names), [names[0], names[0], app.target], { force: true });

    expect(outcome.references.map(({ error, names: gone }) => error?.message ?? gone.length)).toEqual([
      1,
      "No such image: registry.example/app:1",
      2,
    ]);
  });

  it("reports what went before a step failed, and the failure", async () => {
    const failing = (runtime: EmbeddedRuntime) => {
      runtime.beforeNext("removeName", () =>
        runtime.failNext("removeName", new RuntimeError("unavailable", "delete image", "the daemon is gone")),
      );
    };

    const { outcome, left } = await remove(nodeWith(app, names), [app.target], { meanwhile: failing, force: true });

    const [reference] = outcome.references;
    expect(reference?.error).toEqual({
      status: 503,
      reason: "unavailable",
      message: "delete image: the daemon is gone",
    });
    expect(reference?.removed).toEqual(reference?.names.map(({ name }) => ({ untagged: name })));
    expect([...left, ...(reference?.names.map(({ name }) => name) ?? [])].sort()).toEqual([...names]);
    expect(reference?.emptied).toEqual([]);
  });

  it("stops when a container appears after the plan was made", async () => {
    const starts = (runtime: EmbeddedRuntime) => {
      const container = containerOf("c0ffee", { imageId: app.target });
      runtime.beforeNext("containers", () => runtime.addContainer("default", container));
    };

    const { outcome, left } = await remove(nodeWith(app, names.slice(0, 1)), [app.id], { meanwhile: starts });

    expect(outcome.references[0]?.error).toMatchObject({ status: 409, reason: "conflict", container: "c0ffee" });
    expect(left).toEqual(names.slice(0, 1));
  });

  it("stops when a pod is scheduled after the plan was made", async () => {
    const scheduled: Pod = {
      namespace: "shop",
      name: "cart",
      uid: "1",
      phase: "Pending",
      images: [names[0]],
      imageIds: [],
    };
    const meanwhile = (runtime: EmbeddedRuntime, pods: FakePods) =>
      runtime.beforeNext("removeName", () => pods.know([scheduled]));

    const { outcome, left } = await remove({ ...nodeWith(app, names), pods: [] }, [names[1], names[0]], { meanwhile });

    expect(outcome.references.map(({ error }) => error?.pod)).toEqual([undefined, "shop/cart"]);
    expect(left).toEqual([names[0], names[2]]);
  });

  it("stops when the pods are no longer known", async () => {
    const meanwhile = (runtime: EmbeddedRuntime, pods: FakePods) =>
      runtime.beforeNext("removeName", () => pods.set({ kind: "unsynced", reason: "the API server is silent" }));

    const { outcome, left } = await remove({ ...nodeWith(app, names), pods: [] }, [names[0], names[1]], { meanwhile });

    expect(outcome.references.map(({ error }) => error?.reason)).toEqual([undefined, "unavailable"]);
    expect(left).toEqual(names.slice(1));
  });

  it("leaves a name alone that somebody moved meanwhile, and says so", async () => {
    const node = nodeWith(app, names.slice(0, 1), { image: base, names: ["registry.example/base:1"] });
    const meanwhile = (runtime: EmbeddedRuntime) =>
      runtime.beforeNext("removeName", () => runtime.tag("default", names[0], base.target));

    const { outcome, left } = await remove(node, [names[0]], { meanwhile });

    expect(outcome.references[0]?.error).toMatchObject({ status: 409, reason: "conflict" });
    expect(left).toEqual([names[0], "registry.example/base:1"]);
  });

  it("takes it for success when somebody else was faster, without claiming the name", async () => {
    const meanwhile = (runtime: EmbeddedRuntime) =>
      runtime.beforeNext("removeName", () => void runtime.removeName("default", names[0], app.target));

    const { outcome, left } = await remove(nodeWith(app, names.slice(0, 1)), [names[0]], { meanwhile });

    expect(outcome.references[0]).toMatchObject({ error: undefined, names: [], removed: [{ deleted: app.target }] });
    expect(left).toEqual([]);
  });

  it("keeps the last name when the names that were to stay are gone by then", async () => {
    const meanwhile = (runtime: EmbeddedRuntime) =>
      runtime.beforeNext("containers", () => void runtime.removeName("default", names[1], app.target));

    const { outcome, left } = await remove(nodeWith(app, names.slice(0, 2)), [names[0]], { meanwhile });

    expect(outcome.references[0]?.error).toMatchObject({ status: 409, reason: "conflict" });
    expect(left).toEqual([names[0]]);
  });

  it("counts a mounted image as used also by ID, which the reference behaviour does not", async () => {
    const node = nodeWith(app, names.slice(0, 1));
    const mounting = containerOf("c0ffee", { imageId: base.target, imageMounts: [app.target] });
    const withMount = { ...node, namespaces: node.namespaces.map((one) => ({ ...one, containers: [mounting] })) };

    const live = await remove(withMount, [app.target]);
    const captured = await remove(withMount, [app.target], { origin: "captured" });

    expect(live.outcome.references[0]?.error).toMatchObject({ status: 409, container: "c0ffee" });
    expect(captured.outcome.references[0]?.error).toBeUndefined();
  });

  it("goes on with the other references when the space cannot be collected, and says so", async () => {
    const failing = (runtime: EmbeddedRuntime) =>
      runtime.failNext("collect", new RuntimeError("timeout", "collect garbage", "no answer"));

    const { outcome } = await remove(nodeWith(app, names), [app.target], { meanwhile: failing, force: true });

    expect(outcome).toMatchObject({ reclaimedBytes: 0, collectFailure: { reason: "deadline", status: 504 } });
    expect(outcome.references[0]?.emptied).toHaveLength(1);
  });

  it("does not wait long for a collection that hangs once it was told to stop", async () => {
    const stop = new AbortController();
    const clock = createFakeClock();
    const meanwhile = (runtime: EmbeddedRuntime) => {
      runtime.hang("collect");
      runtime.beforeNext("removeName", () => stop.abort());
    };

    const removing = remove(nodeWith(app, [names[0]]), [names[0]], { meanwhile, signal: stop.signal, clock });
    await waitFor("the grace", () => clock.sleeps.length > 0, { intervalMs: 1 });
    clock.advance(20_000);

    expect((await removing).outcome).toMatchObject({ collectFailure: { reason: "deadline" } });
  });

  it("does not begin another reference once it was told to stop", async () => {
    const stop = new AbortController();
    const meanwhile = (runtime: EmbeddedRuntime) => runtime.beforeNext("removeName", () => stop.abort());

    const { outcome, left } = await remove(nodeWith(app, names), [names[0], names[1]], {
      meanwhile,
      signal: stop.signal,
    });

    expect(outcome.references.map(({ error }) => error?.reason)).toEqual([undefined, "unavailable"]);
    expect(left).toEqual(names.slice(1));
  });
});

interface Options {
  /** Prepares what happens behind the removal's back. */
  readonly meanwhile?: (runtime: EmbeddedRuntime, pods: FakePods) => void;
  readonly origin?: "live" | "captured";
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: FakeClock;
}

interface Removed {
  readonly outcome: RemovalOutcome;
  readonly left: readonly string[];
  readonly runtime: EmbeddedRuntime;
}

async function remove(state: NodeState, references: readonly string[], options: Options = {}): Promise<Removed> {
  const runtime = createEmbeddedRuntime(state);
  const pods = createFakePods(state.pods);
  const { meanwhile, origin = "live", force = false, signal, clock = createFakeClock() } = options;
  meanwhile?.(runtime, pods);
  const outcome = await removeReferences({
    runtime,
    pods,
    clock,
    state,
    references,
    force,
    noPrune: false,
    origin,
    callTimeoutMs: 1_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const left = runtime.snapshot().namespaces.flatMap((namespace) => namespace.names.map(({ name }) => name));
  await runtime.close();
  return { outcome, left: left.sort(), runtime };
}

function nodeWith(
  image: Image,
  tags: readonly string[],
  more: { readonly image: Image; readonly names: readonly string[] } = { image: base, names: [] },
): NodeState {
  const given = [
    ...tags.map((tag) => nameOf(tag, image.target)),
    ...more.names.map((tag) => nameOf(tag, more.image.target)),
  ];
  const images = more.names.length > 0 ? [image, more.image] : [image];
  return nodeOf({ namespaces: [namespaceOf("default", { names: given, images })] });
}
