// Looking at the node: one state with its time, or a refusal when the pods are not known.
import { describe, expect, it } from "vitest";
import { observeNode, podsNow } from "../../src/observe/observe-node.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createFakePods, podOf } from "../support/fake-pods.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

const app = imageOf("app");
const state = nodeOf({ namespaces: [namespaceOf("k8s.io", { names: [nameOf("a:1", app.target)], images: [app] })] });
const unsynced = { kind: "unsynced", reason: "no list of pods yet" } as const;

describe("a look at the node", () => {
  it("holds what the runtime holds, the pods, and the time at which it began", async () => {
    const runtime = createEmbeddedRuntime(state);
    const clock = createFakeClock(1_000);
    runtime.beforeNext("observe", () => clock.advance(500));
    const pods = [podOf("p", ["a:1"])];

    const seen = await observeNode({ runtime, pods: createFakePods(pods), clock });

    expect(seen).toEqual({ kind: "seen", state: { ...state, takenAt: 1_000, pods } });
  });

  it("has no pods when there is no pod source", async () => {
    const seen = await observeNode({
      runtime: createEmbeddedRuntime(state),
      pods: createFakePods(null),
      clock: createFakeClock(),
    });

    expect(seen).toMatchObject({ kind: "seen", state: { pods: null } });
  });

  it("is refused while the pods are not known, with the reason of the pod source", async () => {
    const pods = createFakePods([]);
    pods.set(unsynced);

    const seen = await observeNode({ runtime: createEmbeddedRuntime(state), pods, clock: createFakeClock() });

    expect(seen).toEqual({ kind: "refused", reason: "pods-not-synced", message: unsynced.reason });
  });

  it("sees a pod that was bound while the runtime was read", async () => {
    const runtime = createEmbeddedRuntime(state);
    const pods = createFakePods([]);
    runtime.beforeNext("observe", () => pods.know([podOf("late", ["a:1"])]));

    const seen = await observeNode({ runtime, pods, clock: createFakeClock() });

    expect(seen).toMatchObject({ state: { pods: [{ name: "late" }] } });
  });

  it("fails with the error of the runtime", async () => {
    const runtime = createEmbeddedRuntime(state);
    runtime.failNext("observe", new RuntimeError("unavailable", "list images", "connection refused"));

    const look = observeNode({ runtime, pods: createFakePods([]), clock: createFakeClock() });

    await expect(look).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("the pods as they are known now", () => {
  it("are the list, nothing, or a refusal", () => {
    const pods = createFakePods([]);

    expect(podsNow(pods)).toEqual({ kind: "known", pods: [] });
    expect(podsNow(createFakePods(null))).toEqual({ kind: "known", pods: null });
    pods.set(unsynced);
    expect(podsNow(pods)).toMatchObject({ kind: "refused" });
  });
});
