// The loop with a clock that tests move: when rounds begin, what is retried, and how it stops.
import { describe, expect, it } from "vitest";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { Hold } from "../../src/reconcile/controller.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { waitFor } from "../support/wait.ts";
import { kinds, plain, rounds, settled, start } from "./loop.ts";

describe("the loop", () => {
  it("begins its first round at once and the next one after the interval", async () => {
    const loop = start();
    await loop.asleep(1);

    loop.clock.advance(59_999);
    await settled();
    const early = rounds(loop);
    loop.clock.advance(1);
    await loop.asleep(2);

    expect([early, rounds(loop)]).toEqual([1, 2]);
  });

  it.each([
    [0, 54_000],
    [0.5, 60_000],
    [1, 66_000],
  ])("spreads rounds within the jitter: chance %d sleeps %d ms", async (chance, sleep) => {
    const loop = start({ jitter: 0.1 }, ({ clock }) => clock.setRandom(chance));

    await loop.asleep(1);

    expect(loop.clock.sleeps).toEqual([sleep]);
  });

  it("tries again soon after a failure, and at the interval after that went well", async () => {
    const loop = start({}, ({ runtime }) =>
      runtime.failNext("observe", new RuntimeError("unavailable", "list images", "no socket")),
    );
    await loop.asleep(1);

    loop.clock.advance(10_000);
    await loop.asleep(2);

    expect(loop.clock.sleeps).toEqual([10_000, 60_000]);
    expect(kinds(loop)).toEqual(["round-failed", "planned", "name-done", "name-done", "round-done"]);
  });

  it("tries again soon while the pods are not known", async () => {
    const loop = start({}, ({ pods }) => pods.set({ kind: "unsynced", reason: "no list yet" }));

    await loop.asleep(1);

    expect(loop.clock.sleeps).toEqual([10_000]);
    expect(loop.events).toMatchObject([{ kind: "round-skipped", reason: "pods-not-synced", message: "no list yet" }]);
  });

  it("never waits longer for a retry than for the next round", async () => {
    const loop = start({ interval: 3_000 }, ({ pods }) => pods.set({ kind: "unsynced", reason: "no list yet" }));

    await loop.asleep(1);

    expect(loop.clock.sleeps).toEqual([3_000]);
  });

  it("ends at once when it is stopped while it sleeps", async () => {
    const loop = start();
    await loop.asleep(1);

    await loop.stop();

    expect(rounds(loop)).toBe(1);
  });

  it("finishes its round when it is stopped in the middle, and begins no other", async () => {
    const loop = start({}, ({ runtime }) => runtime.beforeNext("removeName", () => void loop.stop()));

    await loop.controller.done;

    expect(kinds(loop)).toEqual(["planned", "name-done", "name-done", "round-done"]);
    expect(loop.events.filter((event) => event.kind === "name-done").map(({ outcome }) => outcome.result.kind)).toEqual(
      ["removed", "skipped"],
    );
  });

  it("does not give up the removal in progress when its round ends, as long as it is not stopped itself", async () => {
    const held: { hold?: Hold } = {};
    let release = (): void => undefined;
    const settings = () => ({ ...plain, callTimeoutMs: 86_400_000, ...held });
    const loop = start({ settings }, ({ runtime }) => {
      release = runtime.hang("removeName");
    });
    await waitFor("the first removal", () => loop.runtime.callCount("removeName") === 1, { intervalMs: 1 });

    held.hold = { reason: "disabled", message: "switched off" };
    loop.controller.settingsChanged();
    loop.clock.advance(3_600_000);
    await settled();
    release();
    await waitFor("the end of the round", () => kinds(loop).includes("round-skipped"), { intervalMs: 1 });

    const results = loop.events.flatMap((event) => (event.kind === "name-done" ? [event.outcome.result.kind] : []));
    expect(results).toEqual(["removed", "skipped"]);
  });

  it("does not wait for a runtime that hangs when it is stopped while it looks", async () => {
    const loop = start({}, ({ runtime }) => runtime.hang("observe"));
    await waitFor("the look", () => loop.runtime.callCount("observe") === 1);

    const startedAt = performance.now();
    await loop.stop();

    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(loop.events).toEqual([]);
  });

  it("runs one round at a time, however long it takes", async () => {
    let release = () => {};
    const loop = start({}, ({ runtime }) => {
      release = runtime.hang("observe");
    });
    await waitFor("the first look", () => loop.runtime.callCount("observe") === 1);

    loop.clock.advance(600_000);
    await settled();
    const during = loop.runtime.callCount("observe");
    release();
    await loop.asleep(1);

    expect(during).toBe(1);
  });

  it("tells since when a round runs and whether the node was ever seen", async () => {
    let release = () => {};
    const loop = start({}, ({ runtime }) => {
      release = runtime.hang("observe");
    });
    await waitFor("the first look", () => loop.runtime.callCount("observe") === 1);
    const during = loop.controller.status();

    release();
    await loop.asleep(1);

    expect(during).toEqual({ roundSince: loop.clock.now(), observed: false });
    expect(loop.controller.status()).toEqual({ roundSince: undefined, observed: true });
  });

  it("remembers after each good round, and judges the next one by it", async () => {
    const loop = start({ policyAt: () => ({ ...removeAllUnused, unusedFor: 60_000 }) });
    await loop.asleep(1);
    const kept = loop.runtime.snapshot().namespaces[0]?.names.length;

    loop.clock.advance(60_000);
    await loop.asleep(2);

    expect(kept).toBe(2);
    expect(loop.runtime.snapshot().namespaces[0]?.names).toEqual([]);
    expect(loop.remembered).toHaveLength(2);
  });

  it("remembers nothing of a round that did not see the node", async () => {
    const loop = start({}, ({ pods }) => pods.set({ kind: "unsynced", reason: "no list yet" }));

    await loop.asleep(1);

    expect(loop.remembered).toEqual([]);
    expect(loop.controller.status().observed).toBe(false);
  });

  it("asks for the policy anew each round, so that moments move on", async () => {
    const asked: number[] = [];
    const loop = start({
      policyAt: (now) => {
        asked.push(now);
        return removeAllUnused;
      },
    });
    await loop.asleep(1);

    loop.clock.advance(60_000);
    await loop.asleep(2);

    expect(asked.map((now) => now - (asked[0] ?? 0))).toEqual([0, 60_000]);
  });
});
