// The theorem about clocks: however the clock jumps and however long nobody looked, only time that was watched makes an image go.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyHistory, recordUses } from "../../src/decide/history.ts";
import { makePlan, type Plan } from "../../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

const minute = 60_000;
const maxGap = 30 * minute;
const start = Date.UTC(2026, 5, 1);
const images = ["a", "b", "c", "d"].map((word) => imageOf(word));
const names = images.map(({ target }, i) => nameOf(`r.example/app:${i}`, target, { createdAt: start }));

interface Step {
  /** Milliseconds by which the clock goes on, whatever really passed. */
  readonly clock: number;
  /** Numbers of the images in use at the look. */
  readonly used: readonly number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  clock: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: minute, max: maxGap }) },
    { weight: 1, arbitrary: fc.integer({ min: maxGap + 1, max: 400 * 24 * 60 * minute }) },
    { weight: 1, arbitrary: fc.integer({ min: -400 * 24 * 60 * minute, max: -1 }) },
  ),
  used: fc.subarray([0, 1, 2, 3]),
});
const ages = fc.constantFrom(
  { unusedFor: 120 * minute, minAge: 0 },
  { unusedFor: 0, minAge: 120 * minute },
  { unusedFor: 60 * minute, minAge: 120 * minute },
);

describe("a node whose clock jumps and whose agent is away", () => {
  it("loses no image that was not watched unused, or old, for as long as the policy says", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), ages, (steps, limits) => {
        const look = lookingWith({ ...removeAllUnused, ...limits });
        const watched = images.map(() => ({ unused: 0, old: 0 }));
        let clock = start;
        for (const [i, { clock: passed, used }] of steps.entries()) {
          clock += i === 0 ? 0 : passed;
          age(watched, i === 0 ? 0 : countedOf(passed), used);

          const gone = look(clock, used).images.filter(({ action }) => action === "delete");
          const [unused, old] = (["unused", "old"] as const).map((kind) =>
            Math.min(...gone.map(({ image }) => watched[images.indexOf(image)]?.[kind] ?? 0)),
          );

          expect(unused).toBeGreaterThanOrEqual(limits.unusedFor);
          expect(old).toBeGreaterThanOrEqual(limits.minAge);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("loses an unused image in the end, after any jump", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
        const look = lookingWith({ ...removeAllUnused, unusedFor: 120 * minute });
        let clock = start;
        for (const { clock: passed, used } of steps) {
          look(clock, used);
          clock += passed;
        }
        const plans = Array.from({ length: 8 }, () => {
          clock += 20 * minute;
          return look(clock, []);
        });

        expect(plans.at(-1)?.images.map(({ action }) => action)).toEqual(images.map(() => "delete"));
      }),
      { numRuns: 300 },
    );
  });
});

interface Watched {
  unused: number;
  old: number;
}

/** Only what lies between two looks that are near each other was watched. */
function countedOf(passed: number): number {
  return passed < 0 || passed > maxGap ? 0 : passed;
}

function age(watched: readonly Watched[], counted: number, used: readonly number[]): void {
  for (const [number, image] of watched.entries()) {
    image.old += counted;
    image.unused = used.includes(number) ? 0 : image.unused + counted;
  }
}

/** Looks one after the other, each of which remembers those before. */
function lookingWith(policy: Policy): (clock: number, used: readonly number[]) => Plan {
  let history = emptyHistory("just-used");
  return (clock, used) => {
    const state = nodeAt(clock, used);
    const plan = makePlan({ state, history, policy, maxGap });
    history = recordUses(history, state, plan.uses, maxGap);
    return plan;
  };
}

function nodeAt(takenAt: number, used: readonly number[]): NodeState {
  const containers = used.map((i) => containerOf(`c${i}`, { imageId: images[i]?.id ?? "" }));
  return nodeOf({ takenAt, pods: [], namespaces: [namespaceOf("k8s.io", { names, images, containers })] });
}
