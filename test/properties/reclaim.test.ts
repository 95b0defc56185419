// The theorems about bytes: what a plan says is what a collection of garbage would free.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Plan, PlanInput } from "../../src/decide/plan.ts";
import {
  deletedIn,
  demandedBytes,
  freedBy,
  keyOf,
  planUnder,
  sharedInputArbitrary,
} from "../support/shared-node-arbitrary.ts";

describe("the bytes of a plan", () => {
  it("are those that nothing reaches any more once its images are gone", () => {
    holds(({ state }, plan) => {
      expect(plan.plannedBytes).toBe(freedBy(state, new Set(deletedIn(plan))));
    });
  });

  it("are, for each image alone, those that nothing reaches without it", () => {
    holds(({ state }, plan) => {
      for (const { namespace, image, bytes } of plan.images) {
        expect(bytes).toBe(freedBy(state, new Set([keyOf(namespace, image.target)])));
      }
    });
  });

  it("are, for each image in turn, what it adds to those before it, and add up to the whole", () => {
    holds(({ state }, plan) => {
      const gone = new Set<string>();
      let before = 0;
      for (const { action, namespace, image, bytesInPlan } of plan.images) {
        if (action === "delete") gone.add(keyOf(namespace, image.target));
        const after = freedBy(state, gone);
        expect(bytesInPlan).toBe(after - before);
        before = after;
      }
      expect(before).toBe(plan.plannedBytes);
    });
  });
});

function holds(check: (input: Pick<PlanInput, "state">, plan: Plan) => void): void {
  const modes = fc.constantFrom("routine" as const, "pressure" as const, "emergency" as const);
  const budget = fc.option(fc.nat(30_000), { nil: undefined });
  fc.assert(
    fc.property(sharedInputArbitrary, modes, demandedBytes, budget, (input, mode, bytes, maxImageBytes) => {
      const policy = { ...input.policy, maxImageBytes };
      check(input, planUnder({ ...input, policy }, mode, bytes));
    }),
    { numRuns: 400 },
  );
}
