import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstBytesOf } from "../../../bench/retention/compare.ts";
import { configured, contenders, pruneletDefaults } from "../../../bench/retention/contenders.ts";
import { lowerBound } from "../../../bench/retention/lower-bound.ts";
import type { Disk, Node } from "../../../bench/retention/node.ts";
import { ageOnly } from "../../../bench/retention/policies/age-only.ts";
import { belady } from "../../../bench/retention/policies/belady.ts";
import type { RetentionPolicy } from "../../../bench/retention/policies/caretaker.ts";
import { docuum } from "../../../bench/retention/policies/docuum.ts";
import { kubelet } from "../../../bench/retention/policies/kubelet.ts";
import { leastRecentlyUsed, ordered, supersededSooner } from "../../../bench/retention/policies/ordered.ts";
import { prunelet } from "../../../bench/retention/policies/prunelet.ts";
import { simulate } from "../../../bench/retention/simulate.ts";
import { makeTrace, scenarios } from "../../../bench/retention/trace.ts";
import { days, gibibytes, hours, mebibytes, minutes } from "../../../bench/retention/units.ts";
import { equalImagesArbitrary, sharedImagesArbitrary, traceOf } from "./traces.ts";

const policies = contenders.map(({ policy }) => policy);
const diskOf = (gib: number): Disk => ({ capacity: gib * gibibytes, other: (gib * gibibytes) / 10 });
const runs = { numRuns: 12 };

describe("every policy", () => {
  test.each(policies)("$name: the same trace costs the same", (policy) => {
    const trace = makeTrace(scenarios[0] ?? missing(), 1, days(4));

    expect(simulate(trace, diskOf(40), policy)).toEqual(simulate(trace, diskOf(40), policy));
  });

  test.each(policies)("$name: what runs stays on the node, whatever happens", (policy) => {
    fc.assert(
      fc.property(sharedImagesArbitrary, (trace) => {
        const watched = watching(policy, (node) => {
          for (const { image, users } of node.images.values())
            if (users > 0) expect(image.layers.every((layer) => node.holds(layer))).toBe(true);
          expect(node.used).toBeLessThanOrEqual(node.disk.capacity);
        });

        // An end of a pod whose image were gone would throw.
        simulate(trace, diskOf(2), watched);
      }),
      runs,
    );
  });

  test("a policy that removes an image in use is found out", () => {
    const careless: RetentionPolicy = {
      name: "careless",
      start: ({ node }) => ({
        every: minutes(1),
        look: () => {
          for (const { image } of node.images.values()) node.remove(image);
        },
      }),
    };
    const trace = traceOf({ images: [{ layers: [10] }], starts: [{ image: 0, at: 5, lasts: 30 }] });

    expect(() => simulate(trace, diskOf(2), careless)).toThrow("in use");
  });
});

describe("the clairvoyant and the lower bound", () => {
  test("on images of equal size that share nothing, Belady pulls no more than any other policy", () => {
    fc.assert(
      fc.property(equalImagesArbitrary, (trace) => {
        const disk = diskForImages(6);
        const least = simulate(trace, disk, belady(1)).pulledBytes;

        for (const policy of policies) {
          const cost = simulate(trace, disk, policy);
          if (cost.diskFull === 0) expect(cost.pulledBytes, policy.name).toBeGreaterThanOrEqual(least);
        }
      }),
      runs,
    );
  });

  test("there the lower bound is what Belady pulls", () => {
    fc.assert(
      fc.property(equalImagesArbitrary, (trace) => {
        const disk = diskForImages(6);

        expect(lowerBound(trace, disk)).toBe(simulate(trace, disk, belady(1)).pulledBytes);
      }),
      runs,
    );
  });

  test("with shared layers of any size, no policy gets below the lower bound", () => {
    fc.assert(
      fc.property(sharedImagesArbitrary, (trace) => {
        const disk = diskOf(2);
        const least = lowerBound(trace, disk);

        expect(least).toBeGreaterThanOrEqual(firstBytesOf(trace) - 1);
        for (const policy of policies) {
          const cost = simulate(trace, disk, policy);
          if (cost.diskFull === 0) expect(cost.pulledBytes, policy.name).toBeGreaterThanOrEqual(least - 1);
        }
      }),
      runs,
    );
  });
});

describe("prunelet", () => {
  test("the disk is never full when free space can be made", () => {
    fc.assert(
      fc.property(sharedImagesArbitrary, (trace) => {
        // Every image fits into what the marks leave free, and there are many looks between two starts.
        const disk = diskOf(4);

        const cost = simulate(trace, disk, prunelet("defaults", pruneletDefaults));

        expect(cost.diskFull).toBe(0);
        expect(cost.above85).toBeLessThanOrEqual(trace.starts.length * minutes(11));
      }),
      runs,
    );
  });

  test.each([
    ["least-recently-used", leastRecentlyUsed],
    ["superseded-sooner", supersededSooner],
  ] as const)("the plan and its short model choose the same images: %s", (order, score) => {
    const marks = { high: 0.5, low: 0.3 };
    fc.assert(
      fc.property(equalImagesArbitrary, (trace) => {
        const disk = diskForImages(12);
        const real = simulate(trace, disk, configured("real", { marks, order }));
        const model = simulate(trace, disk, ordered("model", score, marks));

        expect(real).toEqual(model);
      }),
      runs,
    );
  });

  test("with pressure switched off it is age alone", () => {
    const trace = makeTrace(scenarios[0] ?? missing(), 2, days(7));
    const { marks: _, ...withoutPressure } = pruneletDefaults;

    const alone = simulate(trace, diskOf(300), prunelet("no pressure", withoutPressure));

    expect(alone).toEqual(simulate(trace, diskOf(300), ageOnly(days(1))));
  });
});

describe("the peers", () => {
  /** Three images that fill the disk to 90 %; the first was used last. Then a restart, with nothing running. */
  const used = traceOf({
    images: Array.from({ length: 4 }, () => ({ layers: [100] })),
    starts: [
      { image: 0, at: 10, lasts: 5 },
      { image: 1, at: 30, lasts: 5 },
      { image: 2, at: 50, lasts: 5 },
      { image: 0, at: 70, lasts: 20 },
      { image: 3, at: 200, lasts: 5 },
      { image: 0, at: 300, lasts: 5 },
    ],
    restarts: [{ at: minutes(150), what: "kubelet" }],
  });
  // Above 85 %, and one image less is enough, although the kubelet counts packed bytes only.
  const disk = diskForImages(4, 0.68);

  test("docuum remembers over a restart what was used last", () => {
    const roomForThree = { capacity: (3.2 * imageBytes) / 0.7, other: 0 };

    expect(simulate(used, roomForThree, docuum).againBytes).toBe(0);
  });

  test("the kubelet forgets it: by its own memory, an image that runs seldom is as old as any other", () => {
    const remembers = { ...used, restarts: [] };
    const seeds = Array.from({ length: 30 }, (_, seed) => seed);
    const again = (restarts: boolean): number =>
      seeds.filter((seed) => simulate({ ...(restarts ? used : remembers), seed }, disk, kubelet).againBytes > 0).length;

    expect(again(false)).toBe(0);
    expect(again(true)).toBeGreaterThan(3);
  });

  test("age alone lets the disk run full", () => {
    const cost = simulate(used, diskForImages(2, 0.1), ageOnly(hours(24)));

    expect(cost.diskFull).toBeGreaterThan(0);
    expect(cost.neverRan).toBeGreaterThan(0);
  });
});

/** Bytes on disk of an image of 100 MiB packed. */
const imageBytes = 350 * mebibytes;

/** A disk for so many of them and a little more. */
function diskForImages(count: number, more = 0): Disk {
  return { capacity: (count + more) * imageBytes, other: 0 };
}

function watching(policy: RetentionPolicy, check: (node: Node) => void): RetentionPolicy {
  return {
    name: policy.name,
    start: (world) => {
      const inner = policy.start(world);
      let removed = 0;
      return {
        every: inner.every,
        look(now) {
          inner.look?.(now);
          // Most looks change nothing, and there are many.
          if (world.node.removed > removed) check(world.node);
          removed = world.node.removed;
        },
        beforePull: (image, now) => inner.beforePull?.(image, now),
        pulled(image, now) {
          inner.pulled?.(image, now);
          check(world.node);
        },
        usesChanged: (image, now) => inner.usesChanged?.(image, now),
        restarted: (what, now) => inner.restarted?.(what, now),
      };
    },
  };
}

function missing(): never {
  throw new Error("there is a scenario");
}
