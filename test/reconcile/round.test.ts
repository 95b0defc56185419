// One round: what is reported, in which order, and what becomes of refusals and failures.
import { describe, expect, it } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import { planRound, type RoundInput, runRound } from "../../src/reconcile/round.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createFakePods, podOf } from "../support/fake-pods.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

const images = [imageOf("one"), imageOf("two")];
const names = images.map(({ target }, i) => nameOf(`r.example/app:${i}`, target));
const state = nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images })] });
const refused = new RuntimeError("unavailable", "list images", "connection refused");

function prepare(more: Partial<RoundInput> = {}) {
  const runtime = createEmbeddedRuntime(state);
  const pods = createFakePods([podOf("p", ["r.example/app:0"])]);
  const clock = createFakeClock();
  const events: ReportEvent[] = [];
  const input: RoundInput = {
    runtime,
    pods,
    clock,
    history: emptyHistory("just-used"),
    policy: removeAllUnused,
    concurrency: 2,
    callTimeoutMs: 1_000,
    report: (event) => events.push(event),
    ...more,
  };
  return { input, runtime, pods, clock, events };
}

describe("a round", () => {
  it("reports the plan with the disk, each name, and the end", async () => {
    const { input, clock, runtime, events } = prepare();
    runtime.beforeNext("collect", () => clock.advance(1_500));

    const result = await runRound(input);

    expect(result).toMatchObject({ kind: "done", durationMs: 1_500, outcome: { reclaimedBytes: 3_300 } });
    expect(events).toMatchObject([
      { kind: "planned", filesystems: [{ path: "/var/lib/embedded" }] },
      { kind: "name-done", outcome: { name: "r.example/app:1" } },
      { kind: "round-done", seconds: 1.5, at: clock.now() },
    ]);
  });

  it("is skipped with the reason while the pods are not known, and touches nothing", async () => {
    const { input, pods, runtime, events } = prepare();
    pods.set({ kind: "unsynced", reason: "stale for 6m" });

    const result = await runRound(input);

    expect(result).toEqual({ kind: "skipped", reason: "pods-not-synced", message: "stale for 6m" });
    expect(events).toMatchObject([{ kind: "round-skipped" }]);
    expect(runtime.callCount("removeName")).toBe(0);
  });

  it("fails with the runtime's error when the runtime cannot be read, and touches nothing", async () => {
    const { input, runtime, events } = prepare();
    runtime.failNext("observe", refused);

    const result = await runRound(input);

    expect(result).toEqual({ kind: "failed", error: refused });
    expect(events).toMatchObject([{ kind: "round-failed", message: "list images: connection refused" }]);
    expect(runtime.callCount("removeName")).toBe(0);
  });

  it("goes on when the disk cannot be measured", async () => {
    const { input, runtime, events } = prepare();
    runtime.failNext("filesystems", new RuntimeError("denied", "filesystems", "not allowed"));

    const result = await runRound(input);

    expect(result.kind).toBe("done");
    expect(events[0]).toMatchObject({ kind: "planned", filesystems: [] });
  });

  it("removes nothing when it is not approved", async () => {
    const { input, runtime } = prepare({ approve: async () => false });

    const result = await runRound(input);

    expect(result.kind).toBe("declined");
    expect(runtime.callCount("removeName")).toBe(0);
  });

  it("lets the approver see the plan", async () => {
    const seen: number[] = [];

    await runRound(
      prepare({
        approve: async ({ plan }) => {
          seen.push(plan.plannedBytes);
          return true;
        },
      }).input,
    );

    expect(seen).toEqual([3_300]);
  });

  it("does not swallow defects", async () => {
    const { input } = prepare();
    const broken = { ...input.runtime, observe: () => Promise.reject(new TypeError("a defect")) };

    await expect(runRound({ ...input, runtime: broken })).rejects.toThrow("a defect");
  });

  it("that only plans changes and reports nothing", async () => {
    const { input, runtime, events } = prepare();
    const before = runtime.snapshot();

    const result = await planRound(input);

    expect(result).toMatchObject({ kind: "planned", plan: { plannedBytes: 3_300 } });
    expect(runtime.snapshot()).toEqual(before);
    expect(events).toEqual([]);
  });

  it("remembers what it saw, the used things as used now", async () => {
    const { input, clock } = prepare();

    const result = await planRound(input);

    const history = result.kind === "planned" ? result.history : undefined;
    expect(history?.namespaces.get("k8s.io")?.names.get("r.example/app:0")?.lastUsed).toBe(clock.now());
  });
});
