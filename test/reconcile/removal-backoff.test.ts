// How long images wait whose removal failed.
import { describe, expect, it } from "vitest";
import type { NameResult } from "../../src/act/outcome.ts";
import { RemovalBackoff } from "../../src/reconcile/removal-backoff.ts";
import { digestOf } from "../support/node-builder.ts";

const target = digestOf("image");
const minute = 60_000;
const locked: NameResult = { kind: "failed", reason: "conflict", message: "locked" };

function outcomeOf(...results: readonly NameResult[]) {
  const names = results.map((result, i) => {
    return { namespace: "k8s.io", name: `n${i}`, target, reason: "unused" as const, result, seconds: 0 };
  });
  return { names, deleted: [], reclaimedBytes: 0 };
}

function waits(backoff: RemovalBackoff, now: number): boolean {
  return backoff.waiting(now).get("k8s.io")?.has(target) ?? false;
}

describe("an image whose removal failed", () => {
  it("waits a minute, then twice as long each time, six hours at most", () => {
    const backoff = new RemovalBackoff();
    let now = 0;
    const waited: number[] = [];
    for (let i = 0; i < 12; i++) {
      backoff.learn(outcomeOf(locked), now);
      let minutes = 0;
      while (waits(backoff, now + minutes * minute)) minutes += 1;
      waited.push(minutes);
      now += minutes * minute;
    }

    expect(waited).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
  });

  it("does not wait longer because the clock was set back", () => {
    const backoff = new RemovalBackoff();
    const day = 24 * 60 * minute;
    backoff.learn(outcomeOf(locked), day);

    expect([waits(backoff, day), waits(backoff, 0)]).toEqual([true, false]);
  });

  it("says what failed, how often and until when", () => {
    const backoff = new RemovalBackoff();
    backoff.learn(outcomeOf(locked), 0);
    backoff.learn(outcomeOf({ kind: "removed" }, locked), minute);

    expect(backoff.waiting(minute).get("k8s.io")?.get(target)).toBe(
      "its removal failed 2 times in a row (locked), tried again after 1970-01-01T00:03:00.000Z",
    );
  });

  it.each<[string, NameResult]>([
    ["it was removed", { kind: "removed" }],
    ["somebody else removed it", { kind: "already-gone" }],
    ["it turned out to be in use", { kind: "in-use", message: "pod p" }],
  ])("begins anew once %s", (_, result) => {
    const backoff = new RemovalBackoff();
    backoff.learn(outcomeOf(locked), 0);
    backoff.learn(outcomeOf(locked), minute);

    backoff.learn(outcomeOf(result), 3 * minute);
    const free = !waits(backoff, 3 * minute);
    backoff.learn(outcomeOf(locked), 3 * minute);

    expect([free, waits(backoff, 3.5 * minute), waits(backoff, 4 * minute)]).toEqual([true, true, false]);
  });

  it("does not count what was not tried, nor a runtime that was away", () => {
    const backoff = new RemovalBackoff();

    backoff.learn(outcomeOf({ kind: "skipped", message: "stopped" }), 0);
    backoff.learn(outcomeOf({ kind: "failed", reason: "unavailable", message: "no socket" }), 0);

    expect(backoff.waiting(0).size).toBe(0);
  });
});
