// The loop while its settings change: shorter waits, nodes that are left alone, nodes that are not known.
import { describe, expect, it } from "vitest";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { LoopSettings } from "../../src/reconcile/controller.ts";
import { waitFor } from "../support/wait.ts";
import { kinds, namesOf, plain, rounds, settled, start } from "./loop.ts";

describe("settings that change", () => {
  it("shorten the wait that is going on", async () => {
    const settings = { interval: 3_600_000 };
    const loop = start({ settings: () => ({ ...plain, ...settings }) });
    await loop.asleep(1);
    loop.clock.advance(10_000);

    settings.interval = 60_000;
    loop.controller.settingsChanged();
    await loop.asleep(2);

    expect(loop.clock.sleeps).toEqual([3_600_000, 50_000]);
    expect(rounds(loop)).toBe(1);
  });

  it("begin a round at once when the time for it has passed already", async () => {
    const settings = { interval: 3_600_000 };
    const loop = start({ settings: () => ({ ...plain, ...settings }) });
    await loop.asleep(1);
    loop.clock.advance(120_000);

    settings.interval = 60_000;
    loop.controller.settingsChanged();
    await loop.asleep(2);

    expect(rounds(loop)).toBe(2);
  });

  it("hold for the next round, and begin none", async () => {
    const settings: { policyAt: LoopSettings["policyAt"] } = { policyAt: () => ({ ...removeAllUnused, minAge: 1e9 }) };
    const loop = start({ settings: () => ({ ...plain, ...settings }) });
    await loop.asleep(1);

    settings.policyAt = () => removeAllUnused;
    loop.controller.settingsChanged();
    await settled();
    const meanwhile = namesOf(loop);
    loop.clock.advance(60_000);
    await waitFor("the second round", () => rounds(loop) === 2);

    expect([meanwhile, namesOf(loop)]).toEqual([2, 0]);
  });
});

describe("a loop that is held", () => {
  const disabled = { reason: "disabled", message: "left alone" } as const;
  const unknown = { reason: "node-unknown", message: "no labels" } as const;

  it("touches nothing, says why in every round, and waits for the interval when the node is left alone", async () => {
    const loop = start({ hold: disabled });
    await loop.asleep(1);

    loop.clock.advance(60_000);
    await loop.asleep(2);

    expect(loop.runtime.callCount("observe")).toBe(0);
    expect(loop.clock.sleeps).toEqual([60_000, 60_000]);
    expect(loop.events).toMatchObject([
      { kind: "round-skipped", ...disabled },
      { kind: "round-skipped", ...disabled },
    ]);
  });

  it("looks again soon when the node is not known", async () => {
    const loop = start({ hold: unknown });

    await loop.asleep(1);

    expect(loop.clock.sleeps).toEqual([10_000]);
  });

  it("begins at once when it is released, and stops at once when it is held again", async () => {
    const settings: { hold: LoopSettings["hold"] } = { hold: unknown };
    const loop = start({ settings: () => ({ ...plain, ...settings }) });
    await loop.asleep(1);

    settings.hold = undefined;
    loop.controller.settingsChanged();
    await loop.asleep(2);
    settings.hold = disabled;
    loop.controller.settingsChanged();
    await loop.asleep(3);

    expect(kinds(loop).filter((kind) => kind.startsWith("round"))).toEqual([
      "round-skipped",
      "round-done",
      "round-skipped",
    ]);
  });

  it("ends a round that has begun: the removal in progress is finished, the rest is left alone", async () => {
    const settings: { hold: LoopSettings["hold"] } = { hold: undefined };
    const loop = start({ settings: () => ({ ...plain, ...settings }) }, ({ runtime }) =>
      runtime.beforeNext("removeName", () => {
        settings.hold = disabled;
        loop.controller.settingsChanged();
      }),
    );

    await loop.asleep(1);

    const results = loop.events.flatMap((event) => (event.kind === "name-done" ? [event.outcome.result.kind] : []));
    expect(results).toEqual(["removed", "skipped"]);
    expect(kinds(loop).at(-1)).toBe("round-skipped");
  });

  it("forgets ages while the node is left alone, so that nothing goes for uses that nobody saw", async () => {
    const settings: { hold: LoopSettings["hold"] } = { hold: undefined };
    const policyAt = () => ({ ...removeAllUnused, unusedFor: 100_000 });
    const loop = start({ settings: () => ({ ...plain, policyAt, ...settings }) });
    await loop.asleep(1);

    settings.hold = disabled;
    loop.controller.settingsChanged();
    await loop.asleep(2);
    loop.clock.advance(300_000);
    await loop.asleep(3);
    settings.hold = undefined;
    loop.controller.settingsChanged();
    await loop.asleep(4);

    expect(namesOf(loop)).toBe(2);
    expect(loop.remembered.map(({ namespaces }) => namespaces.size)).toEqual([1, 0, 1]);
  });
});
