// Time that counts: gaps between looks, and clocks that jump.
import { describe, expect, it } from "vitest";
import { emptyHistory, type History } from "../../src/decide/history.ts";
import { atLook, watchedTime } from "../../src/decide/watched-time.ts";

describe("watched time", () => {
  const gaps = [
    { from: 100, to: 200 },
    { from: 300, to: 400 },
  ];

  it.each([
    ["without gaps", 0, 50, 50],
    ["around a gap", 50, 250, 100],
    ["around both gaps", 50, 450, 200],
    ["within a gap", 120, 180, 0],
    ["from within a gap", 150, 250, 50],
    ["into a gap", 250, 350, 50],
    ["from the future", 500, 400, 0],
  ])("%s", (_, since, now, expected) => {
    expect(watchedTime(since, now, gaps)).toBe(expected);
  });
});

describe("the history at a look", () => {
  const history: History = { ...emptyHistory("just-used"), lastLook: 1_000 };

  it("has no new gap when the last look was not long ago, or when nobody says what is long", () => {
    expect(atLook(history, 1_100, 100)).toBe(history);
    expect(atLook(history, 1_000_000, undefined)).toBe(history);
    expect(atLook(emptyHistory("just-used"), 1_000_000, 100)).toEqual(emptyHistory("just-used"));
  });

  it("has a gap when nobody looked for too long", () => {
    expect(atLook(history, 1_101, 100).gaps).toEqual([{ from: 1_000, to: 1_101 }]);
  });

  it("ends gaps now when the clock jumped back, so that a wrong jump forward does not keep things for ever", () => {
    const jumped = { ...atLook(history, 900_000, 100), lastLook: 900_000 };

    expect(atLook(jumped, 1_200, 100).gaps).toEqual([{ from: 1_000, to: 1_200 }]);
    expect(atLook(jumped, 900, 100).gaps).toEqual([]);
  });

  it("joins the oldest gaps where there are very many, which makes things younger, never older", () => {
    let crashing = history;
    for (let i = 1; i <= 200; i++)
      crashing = { ...atLook(crashing, 1_000 + 200 * i, 100), lastLook: 1_000 + 200 * i + 50 };

    expect(crashing.gaps?.length).toBeLessThanOrEqual(64);
    expect(watchedTime(0, 41_050, crashing.gaps)).toBeLessThanOrEqual(1_000 + 200 * 50);
  });
});
