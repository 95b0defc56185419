// How often the state file is written: when something changed, at most twelve times an hour, and at the end.
import { describe, expect, it } from "vitest";
import type { History, Sighting } from "../../src/decide/history.ts";
import { HistoryKeeper, longestSilence, writePause } from "../../src/observe/history-keeper.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { digestOf, sightingOf } from "../support/node-builder.ts";

const minute = 60_000;

describe("the state file is written", () => {
  it("at once when something changed, then not before five minutes have passed", async () => {
    const keeper = keep();

    keeper.remember(historyOf("a"));
    keeper.remember(historyOf("a", "b"));
    await keeper.pass(writePause - 1);
    const early = keeper.writes.length;
    await keeper.pass(1);

    expect(early).toBe(1);
    expect(keeper.writes.map(namesIn)).toEqual([["a"], ["a", "b"]]);
  });

  it("at most twelve times in an hour, however much changes", async () => {
    const keeper = keep();

    for (let i = 0; i < 60 * 60 - 1; i++) {
      keeper.remember(historyOf(`image ${i}`));
      await keeper.pass(1_000);
    }

    expect(keeper.writes.length).toBe(12);
  });

  it("not at all as long as nothing changed but the time, and then once an hour", async () => {
    const keeper = keep();
    keeper.remember(historyOf("a"));

    for (let i = 1; i <= 24 * 60; i++) {
      await keeper.pass(minute);
      keeper.remember(at(historyOf("a"), i * minute));
    }

    expect(keeper.writes.length).toBe(1 + (24 * 60 * minute) / longestSilence);
  });

  it.each<[string, Partial<Sighting>]>([
    ["a use begins", { inUse: true, timesUsed: 1, lastUsed: 5 }],
    ["a use is known to be later", { lastUsed: 5 }],
    ["pods of other namespaces use it", { usedBy: ["shop"] }],
  ])("when %s", async (_, more) => {
    const keeper = keep();
    keeper.remember(historyOf("a"));
    await keeper.pass(writePause);

    keeper.remember(withSighting(sightingOf(more)));

    expect(keeper.writes.length).toBe(2);
  });

  it("not when the last use of what is in use goes on", async () => {
    const keeper = keep();
    keeper.remember(withSighting(sightingOf({ inUse: true, lastUsed: 1 })));
    await keeper.pass(writePause);

    keeper.remember(withSighting(sightingOf({ inUse: true, lastUsed: 2 })));

    expect(keeper.writes.length).toBe(1);
  });

  it("at the end, whatever is not written yet", () => {
    const keeper = keep();
    keeper.remember(historyOf("a"));
    keeper.remember(at(historyOf("a"), minute));

    keeper.close();

    expect(keeper.writes.at(-1)?.lastLook).toBe(minute);
  });

  it("not at the end when all of it is written", () => {
    const keeper = keep();
    keeper.remember(historyOf("a"));

    keeper.close();

    expect(keeper.writes.length).toBe(1);
  });

  it("again five minutes after a failure, which is told once, and so is the end of it", async () => {
    const keeper = keep();
    keeper.break(true);
    keeper.remember(historyOf("a"));
    await keeper.pass(writePause);
    await keeper.pass(writePause);
    keeper.break(false);

    await keeper.pass(writePause);

    expect(keeper.told).toEqual(["failed", "failed again", "failed again", "mended"]);
    expect(keeper.writes.map(namesIn)).toEqual([["a"]]);
  });

  it("also after the clock was set back", async () => {
    const keeper = keep();
    keeper.remember(at(historyOf("a"), 10 * longestSilence));
    await keeper.pass(writePause);

    keeper.remember(at(historyOf("a"), 0));

    expect(keeper.writes.length).toBe(2);
  });
});

function keep() {
  const clock = createFakeClock();
  const writes: History[] = [];
  const told: string[] = [];
  let broken = false;
  const keeper = new HistoryKeeper({
    clock,
    write: (history) => {
      if (broken) throw new Error("no space");
      writes.push(history);
    },
    onFailure: (_, again) => told.push(again ? "failed again" : "failed"),
    onMended: () => told.push("mended"),
  });
  return {
    writes,
    told,
    remember: (history: History) => keeper.remember(history),
    close: () => keeper.close(),
    break: (yes: boolean) => {
      broken = yes;
    },
    pass: async (milliseconds: number) => {
      clock.advance(milliseconds);
      await new Promise(setImmediate);
    },
  };
}

function historyOf(...names: string[]): History {
  const seen = new Map(names.map((name) => [name, sightingOf({})]));
  return { unknown: "just-used", namespaces: new Map([["k8s.io", { images: new Map(), names: seen }]]), lastLook: 0 };
}

function withSighting(sighting: Sighting): History {
  const namespace = { images: new Map([[digestOf("a"), sighting]]), names: new Map([["a", sightingOf({})]]) };
  return { unknown: "just-used", namespaces: new Map([["k8s.io", namespace]]), lastLook: 0 };
}

function at(history: History, lastLook: number): History {
  return { ...history, lastLook };
}

function namesIn(history: History): string[] {
  return [...history.namespaces.values()].flatMap(({ names }) => [...names.keys()]);
}
