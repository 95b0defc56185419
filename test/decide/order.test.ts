// The bench that every order has to pass, and what each one means.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderNames, orders, type Ranked } from "../../src/decide/order.ts";

const now = 10;

const ranked: fc.Arbitrary<Ranked> = fc
  .record({
    firstSeen: fc.nat(3),
    lastUsed: fc.nat(3),
    superseded: fc.boolean(),
    timesUsed: fc.nat(3),
    gain: fc.nat(3),
  })
  .map((one) => ({ ...one, idle: now - one.lastUsed }));

describe.each(orderNames.map((name) => [name, orders[name]] as const))("the order %s", (_, order) => {
  it("says the contrary when it is asked the other way round", () => {
    fc.assert(
      fc.property(ranked, ranked, (a, b) => {
        expect(Math.sign(order(a, b)) + Math.sign(order(b, a))).toBe(0);
      }),
    );
  });

  it("has no circles", () => {
    fc.assert(
      fc.property(ranked, ranked, ranked, (a, b, c) => {
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it("puts what gains more first where nothing else differs, because that leaves most others alone", () => {
    fc.assert(
      fc.property(ranked, fc.nat(3), (a, gain) => {
        expect(Math.sign(order(a, { ...a, gain }))).toBe(Math.sign(gain - a.gain));
      }),
    );
  });

  it("is a number for every two images", () => {
    fc.assert(
      fc.property(ranked, ranked, (a, b) => {
        expect(Number.isNaN(order(a, b))).toBe(false);
      }),
    );
  });
});

describe("least-recently-used", () => {
  const image: Ranked = { firstSeen: 1, lastUsed: 5, idle: 5, superseded: false, timesUsed: 1, gain: 10 };
  const order = orders["least-recently-used"];

  it.each([
    ["used longer ago, however much the other gains", { lastUsed: 4, gain: 1 }, -1],
    ["used later", { lastUsed: 6, gain: 100 }, 1],
    ["used at the same time and gaining more", { gain: 11 }, -1],
    ["that is superseded, which does not count", { superseded: true }, 0],
    ["used more often, which does not count", { timesUsed: 9 }, 0],
  ])("compares an image %s", (_, more, sign) => {
    expect(Math.sign(order({ ...image, ...more }, image))).toBe(sign);
  });
});

describe("superseded-sooner", () => {
  const image: Ranked = { firstSeen: 1, lastUsed: 5, idle: 5, superseded: false, timesUsed: 1, gain: 10 };
  const order = orders["superseded-sooner"];

  it.each([
    ["used longer ago", { lastUsed: 4, idle: 6 }, -1],
    ["used later, but superseded", { lastUsed: 8, idle: 2, superseded: true }, -1],
    ["superseded, but used a moment ago", { lastUsed: 9, idle: 1, superseded: true }, 1],
    ["used at the same time and gaining more", { gain: 11 }, -1],
  ])("compares an image %s", (_, more, sign) => {
    expect(Math.sign(order({ ...image, ...more }, image))).toBe(sign);
  });
});
