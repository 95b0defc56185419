import { expect, test } from "vitest";
import { Random, zipf } from "../../../bench/retention/random.ts";
import { makeTrace, scenarios } from "../../../bench/retention/trace.ts";
import { days } from "../../../bench/retention/units.ts";

const week = days(7);

test.each(scenarios)("$name: the same seed makes the same trace, another seed another one", (scenario) => {
  const [first, again, other] = [1, 1, 2].map((seed) => makeTrace(scenario, seed, week));

  expect(again).toEqual(first);
  expect(other?.starts).not.toEqual(first?.starts);
});

test.each(scenarios)("$name: starts come in order, within the trace, and last", (scenario) => {
  const { starts, from, to } = makeTrace(scenario, 3, week);

  expect(starts.length).toBeGreaterThan(100);
  expect(starts).toEqual(starts.toSorted((a, b) => a.at - b.at));
  for (const { at, until } of starts) {
    expect(at).toBeGreaterThanOrEqual(from);
    expect(at).toBeLessThan(to + days(1));
    expect(until).toBeGreaterThan(at);
  }
});

test.each(scenarios)("$name: images share base layers", (scenario) => {
  const { starts } = makeTrace(scenario, 3, week);

  const images = new Set(starts.map(({ image }) => image));
  const layers = [...images].flatMap((image) => image.layers);

  expect(new Set(layers).size).toBeLessThan(layers.length * 0.75);
});

test("no pod outlives a restart of the node", () => {
  const traces = scenarios.map((scenario) => makeTrace(scenario, 5));
  expect(traces.flatMap(({ restarts }) => restarts).some(({ what }) => what === "node")).toBe(true);

  for (const { starts, restarts } of traces) {
    const times = restarts.filter(({ what }) => what === "node").map(({ at }) => at);
    for (const time of times) expect(starts.filter(({ at, until }) => at < time && until > time)).toEqual([]);
  }
});

test("Zipf's law: the second rank comes half as often as the first", () => {
  const random = new Random(7);
  const rank = zipf(10, 1);
  const drawn = Array.from({ length: 30_000 }, () => rank(random));
  const times = (wanted: number): number => drawn.filter((one) => one === wanted).length;

  expect(times(0) / times(1)).toBeGreaterThan(1.85);
  expect(times(0) / times(1)).toBeLessThan(2.15);
});
