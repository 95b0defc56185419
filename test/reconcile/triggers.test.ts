// Rounds that changes in the runtime begin: soon, bounded, and never by what prunelet removed itself.
import { describe, expect, it } from "vitest";
import { removeAllUnused } from "../../src/decide/policy.ts";
import { containerOf, imageOf } from "../support/node-builder.ts";
import { waitFor } from "../support/wait.ts";
import { type Loop, rounds, settled, start } from "./loop.ts";

const triggers = { quiet: 10_000, spacing: 60_000 };
const keepAll = () => ({ ...removeAllUnused, minAge: 1e12 });
const day = 86_400_000;

async function listening(more: Parameters<typeof start>[0] = {}): Promise<Loop> {
  const loop = start({ triggers, interval: day, policyAt: keepAll, ...more });
  await waitFor("the first round", () => rounds(loop) === 1);
  await settled();
  // Past the spacing, so that only the quiet time counts.
  loop.clock.advance(60_000);
  await settled();
  return loop;
}

let containers = 0;

async function change({ runtime }: Loop): Promise<void> {
  containers += 1;
  runtime.addContainer("k8s.io", containerOf(`c${containers}`));
  await settled();
}

async function pass({ clock }: Loop, milliseconds: number): Promise<void> {
  clock.advance(milliseconds);
  await settled();
}

const begunBy = ({ events }: Loop) => events.flatMap((event) => (event.kind === "planned" ? [event.trigger] : []));

describe("a change in the runtime", () => {
  it("begins a round once it has been quiet for a while", async () => {
    const loop = await listening();

    await change(loop);
    await pass(loop, 9_999);
    const early = rounds(loop);
    await pass(loop, 1);

    expect([early, rounds(loop)]).toEqual([1, 2]);
    expect(begunBy(loop)).toEqual(["start", "event"]);
  });

  it("puts the round off as long as others follow, but not for ever", async () => {
    const loop = await listening();

    const seen: number[] = [];
    for (let second = 0; second < 60; second += 5) {
      await change(loop);
      await pass(loop, 5_000);
      seen.push(rounds(loop));
    }

    expect(seen.slice(0, -1)).toEqual(Array(11).fill(1));
    expect(seen.at(-1)).toBe(2);
  });

  it("begins no round sooner after another than the spacing allows: a storm is one round", async () => {
    const loop = await listening();
    await change(loop);
    await pass(loop, 10_000);

    for (let i = 0; i < 200; i++) await change(loop);
    await pass(loop, 59_999);
    const before = rounds(loop);
    await pass(loop, 1);

    expect([before, rounds(loop)]).toEqual([2, 3]);
  });

  it("is a new image as well, but not one that the round itself removed", async () => {
    const loop = await listening({ policyAt: () => removeAllUnused });
    await pass(loop, 100_000);
    const alone = rounds(loop);

    loop.runtime.addImage("k8s.io", imageOf("new"), ["r.example/new:1"]);
    await settled();
    await pass(loop, 10_000);

    expect([alone, rounds(loop)]).toEqual([1, 2]);
  });

  it("begins none when it is switched off", async () => {
    const loop = await listening({ triggers: undefined });

    await change(loop);
    await pass(loop, 120_000);

    expect(rounds(loop)).toBe(1);
  });
});

describe("a clock that is set back", () => {
  it("puts nothing off: the next round comes after the interval all the same", async () => {
    const loop = start({ interval: 60_000, policyAt: keepAll });
    await loop.asleep(1);

    await pass(loop, -3_600_000);
    loop.controller.settingsChanged();
    await settled();
    await pass(loop, 60_000);

    expect(rounds(loop)).toBe(2);
  });

  it("does not put off the round that a change in the runtime begins", async () => {
    const loop = await listening();
    await change(loop);

    await pass(loop, -3_600_000);
    loop.controller.settingsChanged();
    await settled();
    for (let i = 0; i < 4; i += 1) await pass(loop, 20_000);

    expect(rounds(loop)).toBe(2);
  });

  it("is told in one line, and so is a leap forward or a long sleep", async () => {
    const loop = start({ interval: 60_000, policyAt: keepAll, maxGap: 3_600_000 });
    await loop.asleep(1);

    await pass(loop, 7_200_000);
    await pass(loop, -1_800_000);
    loop.controller.settingsChanged();
    await settled();
    await pass(loop, 60_000);

    const said = loop.events.flatMap((event) => (event.kind === "notice" ? [event.message] : []));
    expect(said).toEqual([
      expect.stringMatching(/^nobody looked at this node for 2h, or the clock jumped/),
      expect.stringMatching(/^the clock went back by 29m/),
    ]);
  });

  it("lets nothing go that a leap forward only made look old", async () => {
    const unused = () => ({ ...removeAllUnused, unusedFor: 86_400_000 });
    const loop = start({ interval: 60_000, policyAt: unused, maxGap: 3_600_000 });
    await loop.asleep(1);

    await pass(loop, 40 * 86_400_000);
    await waitFor("the round after the leap", () => rounds(loop) === 2);

    const deleted = loop.events.flatMap((event) => (event.kind === "round-done" ? event.outcome.deleted : []));
    expect(deleted).toEqual([]);
  });
});
