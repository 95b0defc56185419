// The theorems about space that is needed: enough is freed where it can be, no more than needed goes, and never what must stay.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePlan, type Plan, type PlanInput } from "../../src/decide/plan.ts";
import {
  deletedIn,
  demandedBytes,
  freedBy,
  keyOf,
  planUnder,
  sharedInputArbitrary,
} from "../support/shared-node-arbitrary.ts";

type Input = Pick<PlanInput, "state" | "history" | "policy">;

describe("a plan under pressure", () => {
  it("removes whatever would go without it, and in an emergency whatever would go under pressure", () => {
    withDemand((input, bytes) => {
      const [routine = [], pressure = [], emergency = []] = modes.map((mode) =>
        deletedIn(planUnder(input, mode, bytes)),
      );

      expect(routine).toEqual(deletedIn(makePlan(input)));
      expect(pressure).toEqual(expect.arrayContaining(routine));
      expect(emergency).toEqual(expect.arrayContaining(pressure));
    });
  });

  it("frees as much as is needed, or all that the rules let go: then it says how much is missing", () => {
    withDemand((input, bytes) => {
      for (const mode of ["pressure", "emergency"] as const) {
        const plan = planUnder(input, mode, bytes);
        const { plannedBytes, shortfall } = plan;
        const most = planUnder(input, mode, 10 ** 12).plannedBytes;

        expect(shortfall).toBe(Math.max(0, bytes - plannedBytes));
        // Manifests and configs alone are not worth a removal unless they make the difference.
        if (shortfall > 0) expect(plannedBytes).toBeGreaterThanOrEqual(most - 24 * plan.images.length);
      }
    });
  });

  it("takes no more than it needs: without the last image that went for space, the demand would not be met", () => {
    withDemand((input, bytes) => {
      for (const mode of ["pressure", "emergency"] as const) {
        const plan = planUnder(input, mode, bytes);
        const forSpace = plan.images.filter(isForSpace);
        const last = forSpace.at(-1);
        if (last === undefined || plan.shortfall > 0) continue;
        const others = new Set(deletedIn(plan));
        others.delete(keyOf(last.namespace, last.image.target));

        expect(freedBy(input.state, others)).toBeLessThan(bytes);
      }
    });
  });

  it("removes nothing for space that frees none", () => {
    withDemand((input, bytes) => {
      const plan = planUnder(input, "pressure", bytes);
      const all = deletedIn(plan);
      for (const { namespace, image } of plan.images.filter(isForSpace)) {
        const others = new Set(all.filter((key) => key !== keyOf(namespace, image.target)));

        expect(freedBy(input.state, others)).toBeLessThan(plan.plannedBytes);
      }
    });
  });

  it("takes the least recently used first: what stays of the images that might go was not used before what went", () => {
    withDemand((input, bytes) => {
      const plan = planUnder(input, "pressure", bytes);
      const newest = Math.max(...plan.images.filter(isForSpace).map(({ lastUsed }) => lastUsed ?? 0), 0);
      const spared = plan.images.filter(({ reasons }) => reasons.some(({ code }) => code === "enough-freed"));
      // An image that holds the ID name of another waits for that one.
      const free = spared.filter(({ names, image }) => !names.some(({ name }) => name === image.id));

      for (const { lastUsed } of free) expect(lastUsed).toBeGreaterThanOrEqual(newest);
    });
  });

  it("never removes what is in use, pinned, or, short of an emergency, too young", () => {
    withDemand((input, bytes) => {
      for (const mode of modes) {
        const plan = planUnder(input, mode, bytes);
        const deleted = new Set(deletedIn(plan));
        for (const { name, containers, images, names } of input.state.namespaces) {
          const used = containers.map(({ imageId }) => keyOf(name, imageId));
          const pinned = images.filter((image) => image.pinned).map(({ target }) => keyOf(name, target));
          const seen = input.history.namespaces.get(name);
          const young = names
            .filter((one) => input.state.takenAt - (seen?.names.get(one.name)?.firstSeen ?? 0) < input.policy.minAge)
            .map(({ target }) => keyOf(name, target));
          const kept = [...used, ...pinned, ...(mode === "emergency" ? [] : young)];

          expect(kept.filter((key) => deleted.has(key))).toEqual([]);
        }
      }
    });
  });

  it("is the same for the same input", () => {
    withDemand((input, bytes) => {
      expect(planUnder(input, "emergency", bytes)).toEqual(planUnder(structuredClone(input), "emergency", bytes));
    });
  });

  it("says the same when it is judged again while it is carried out", () => {
    withDemand((input, bytes) => {
      for (const mode of modes) {
        const plan = planUnder(input, mode, bytes);
        const demand = plan.demand;
        const again = makePlan({ ...input, ...(demand === undefined ? {} : { demand }), recheck: plan });

        expect(new Set(deletedIn(again))).toEqual(new Set(deletedIn(plan)));
        expect(new Set(goingIn(again))).toEqual(new Set(goingIn(plan)));
      }
    });
  });
});

describe("a budget for all images", () => {
  it("is kept where the rules allow it", () => {
    fc.assert(
      fc.property(sharedInputArbitrary, fc.nat(40_000), (input, maxImageBytes) => {
        const plan = makePlan({ ...input, policy: { ...input.policy, maxImageBytes } });
        const all = contentOf(input);

        expect(plan.shortfall).toBe(Math.max(0, all - maxImageBytes - plan.plannedBytes));
        if (all <= maxImageBytes) expect(deletedIn(plan)).toEqual(deletedIn(makePlan(input)));
      }),
      { numRuns: 300 },
    );
  });
});

describe("limits on how much a round removes", () => {
  it("never make it remove more, or other images, and keep what they cut off whole", () => {
    const limits = fc.record({
      maxRemovals: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      maxFraction: fc.option(fc.constantFrom(0, 0.1, 0.5, 1), { nil: undefined }),
    });
    fc.assert(
      fc.property(sharedInputArbitrary, demandedBytes, limits, (input, bytes, brakes) => {
        const free = planUnder(input, "pressure", bytes);
        const cut = planUnder({ ...input, policy: { ...input.policy, brakes } }, "pressure", bytes);
        const [wanted, went] = [deletedIn(free), deletedIn(cut)];
        const most = Math.min(
          brakes.maxRemovals ?? Number.POSITIVE_INFINITY,
          Math.floor((brakes.maxFraction ?? 1) * free.images.length),
        );

        expect(went).toEqual(wanted.slice(0, went.length));
        expect(went).toHaveLength(Math.min(wanted.length, most));
        expect(cut.plannedBytes).toBe(freedBy(input.state, new Set(went)));
        expect(cut.brakes.length > 0).toBe(went.length < wanted.length);
        for (const { reasons, names } of cut.images) {
          if (reasons.some(({ code }) => code === "brake"))
            expect(names.every(({ action }) => action === "keep")).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const modes = ["routine", "pressure", "emergency"] as const;

function isForSpace({ action, reasons }: Plan["images"][number]): boolean {
  return action === "delete" && reasons.every(({ code }) => code === "pressure");
}

function goingIn(plan: Plan): string[] {
  return plan.images.flatMap(({ namespace, names }) =>
    names.filter(({ action }) => action === "untag").map(({ name }) => keyOf(namespace, name)),
  );
}

/** Bytes of everything that images hold. */
function contentOf({ state }: Input): number {
  const nothingElse = { ...state, foreignBlobs: [] };
  const namespaces = state.namespaces.map((namespace) => ({ ...namespace, held: { blobs: [], snapshots: [] } }));
  const all = namespaces.flatMap(({ name, images }) => images.map(({ target }) => keyOf(name, target)));
  return freedBy({ ...nothingElse, namespaces }, new Set(all));
}

function withDemand(check: (input: Input, bytes: number) => void): void {
  fc.assert(fc.property(sharedInputArbitrary, demandedBytes, check), { numRuns: 300 });
}
