// The theorems about carrying a plan out that frees what is needed: what was chosen goes, though the node changes meanwhile.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Demand } from "../../src/decide/demand.ts";
import type { BrakeLimits } from "../../src/decide/policy.ts";
import { type PlannedNode, planOn } from "../support/executed-round.ts";
import { planInputArbitrary, removeListArbitrary } from "../support/node-arbitrary.ts";

const demandArbitrary: fc.Arbitrary<Demand> = fc.record({
  mode: fc.constantFrom("routine" as const, "pressure" as const, "emergency" as const),
  bytes: fc.nat(12_000),
  inodes: fc.constantFrom(0, 0, 5),
  because: fc.constant("the disk is full"),
});
const brakesArbitrary: fc.Arbitrary<BrakeLimits> = fc.record({
  maxRemovals: fc.constantFrom(undefined, undefined, 1, 2),
  maxFraction: fc.constantFrom(undefined, undefined, 0.5),
});

describe("a plan for space that was carried out", () => {
  it("removes what was chosen and frees what it promised", async () => {
    await carriedOut(async (node) => {
      const outcome = await node.run();

      expect(outcome.names.map(({ name }) => name)).toEqual(goingIn(node));
      expect(outcome.reclaimedBytes).toBe(node.plan.plannedBytes);
    });
  });

  it("removes what was chosen, no less and no more, although containers that change nothing make it judge again", async () => {
    await carriedOut(async (node) => {
      const before = node.runtime.snapshot().namespaces.find((namespace) => namespace.containers.length > 0);
      const twin = before?.containers[0];
      if (before === undefined || twin === undefined) return;
      let containers = 0;

      const outcome = await node.run({
        onName: () => {
          containers += 1;
          node.runtime.addContainer(before.name, { ...twin, id: `late-${containers}` });
        },
      });

      expect(outcome.names.filter(({ result }) => result.kind === "removed").map(({ name }) => name)).toEqual(
        goingIn(node),
      );
    });
  });

  it("never takes an image that came into use meanwhile", async () => {
    await carriedOut(async (node) => {
      const last = node.plan.images.filter(({ action }) => action === "delete").at(-1);
      // Something has to go before it, so that somebody can come in between.
      if (last === undefined || node.plan.images[0] === last) return;
      let used = false;

      await node.run({
        onName: ({ target, namespace }) => {
          if (used || (target === last.image.target && namespace === last.namespace)) return;
          used = true;
          node.runtime.addContainer(last.namespace, { id: "late", imageId: last.image.target });
        },
      });

      const left = node.runtime.snapshot().namespaces.find(({ name }) => name === last.namespace)?.names ?? [];
      expect(left.map(({ target }) => target)).toContain(last.image.target);
    });
  });
});

function goingIn({ plan }: PlannedNode): string[] {
  return plan.images.flatMap(({ names }) => names.filter(({ action }) => action === "untag").map(({ name }) => name));
}

function carriedOut(check: (node: PlannedNode) => Promise<void>): Promise<void> {
  const lists = fc.oneof(fc.constant([]), removeListArbitrary);
  const property = fc.asyncProperty(
    planInputArbitrary,
    demandArbitrary,
    brakesArbitrary,
    lists,
    async (input, demand, brakes, remove) => {
      const { state, history } = input;
      await check(await planOn(state, { history, demand, policy: { ...input.policy, brakes, remove } }));
    },
  );
  return fc.assert(property, { numRuns: 250 });
}
