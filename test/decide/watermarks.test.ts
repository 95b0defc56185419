// What marks demand of a filesystem, and which marks cannot be followed.
import { describe, expect, it } from "vitest";
import {
  contradictions,
  demandOf,
  type Fill,
  kubeletActsFirst,
  type Marks,
  type Watermark,
  type Watermarks,
} from "../../src/decide/watermarks.ts";

const used = (share: number): Watermark => ({ kind: "used-share", share });
const free = (amount: number): Watermark => ({ kind: "free-amount", amount });
const marks = (low: Watermark, high: Watermark, emergency: Watermark): Marks => ({ low, high, emergency });
const usual: Watermarks = {
  bytes: marks(used(0.7), used(0.8), used(0.92)),
  inodes: marks(used(0.75), used(0.85), used(0.95)),
};

/** A filesystem of 1000 bytes and 100 inodes. */
function fill(usedBytes: number, inodesUsed = 0): Fill {
  return { path: "/images", capacityBytes: 1_000, usedBytes, inodes: 100, inodesUsed };
}

describe("the demand", () => {
  it.each([
    ["below the high mark", fill(799), undefined],
    ["at the high mark", fill(800), undefined],
    ["above it: down to the low mark", fill(801), ["pressure", 101, 0]],
    ["at the emergency mark", fill(920), ["pressure", 220, 0]],
    ["above it: down to the high mark, because ages do not count", fill(921), ["emergency", 121, 0]],
    ["of inodes alone", fill(0, 86), ["pressure", 0, 11]],
    ["of both", fill(850, 90), ["pressure", 150, 15]],
    ["of bytes while inodes are an emergency", fill(850, 96), ["emergency", 150, 11]],
    ["of a filesystem that counts no inodes", { ...fill(100), inodes: 0, inodesUsed: 0 }, undefined],
    ["of a filesystem of no size", { ...fill(100), capacityBytes: 0 }, undefined],
  ])("%s", (_, filesystem, expected) => {
    const demand = demandOf(filesystem, usual, false);

    expect(demand && [demand.mode, demand.bytes, demand.inodes]).toEqual(expected);
  });

  it("goes on down to the low mark once an episode has begun", () => {
    expect(demandOf(fill(750), usual, false)).toBeUndefined();
    expect(demandOf(fill(750), usual, true)).toMatchObject({ mode: "pressure", bytes: 50 });
    expect(demandOf(fill(700), usual, true)).toBeUndefined();
  });

  it("follows marks that are free amounts", () => {
    const bytes = marks(free(300), free(200), free(80));

    expect(demandOf(fill(800), { ...usual, bytes }, false)).toBeUndefined();
    expect(demandOf(fill(801), { ...usual, bytes }, false)).toMatchObject({ mode: "pressure", bytes: 101 });
    expect(demandOf(fill(930), { ...usual, bytes }, false)).toMatchObject({ mode: "emergency", bytes: 130 });
  });

  it("says how full what is, and which mark is exceeded", () => {
    expect(demandOf(fill(856), usual, false)?.because).toBe("85.6% of bytes used on /images, above 80%");
    expect(demandOf(fill(950, 90), usual, false)?.because).toBe(
      "95% of bytes used on /images, above 92%, 90% of inodes used on /images, above 85%",
    );
    expect(demandOf(fill(750), usual, true)?.because).toBe("75% of bytes used on /images, above 70%");
  });
});

describe("marks of different kinds", () => {
  it.each([
    ["that fit", marks(free(300), used(0.8), free(50)), undefined],
    [
      "whose low mark is above the high one",
      marks(free(100), used(0.8), used(0.92)),
      /low mark \(100 free\).* not below/,
    ],
    [
      "whose emergency mark is below the high one",
      marks(used(0.7), used(0.8), free(300)),
      /emergency mark \(300 free\)/,
    ],
    ["that ask for more than there is", marks(free(5_000), free(4_000), free(3_000)), /low mark .* not below/],
  ])("are compared once the size is known: %s", (_, bytes, problem) => {
    const found = contradictions(fill(500), { ...usual, bytes })[0];

    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it("say nothing of a resource that is not there", () => {
    const inodes = marks(free(100), used(0.8), used(0.92));

    expect(contradictions({ ...fill(500), inodes: 0 }, { ...usual, inodes })).toEqual([]);
  });
});

describe("the kubelet", () => {
  it("acts first when the high mark is above 85 %, as a share or as an amount", () => {
    const at = (high: Watermark) => kubeletActsFirst(fill(0), { ...usual, bytes: marks(used(0.1), high, used(1)) });

    expect([at(used(0.8)), at(used(0.85)), at(free(150))]).toEqual([undefined, undefined, undefined]);
    expect(at(used(0.86))).toMatch(/the high mark \(86%\) of \/images is above the 85 %/);
    expect(at(free(100))).toMatch(/the high mark \(100 free\)/);
  });
});
