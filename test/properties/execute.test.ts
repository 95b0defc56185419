// The theorems about carrying a plan out, on generated nodes in the embedded runtime.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/act/outcome.ts";
import { type PlannedNode, planOn } from "../support/executed-round.ts";
import { planInputArbitrary } from "../support/node-arbitrary.ts";

const isGoing = ({ action }: { readonly action: string }): boolean => action === "untag" || action === "delete";

describe("a plan that was carried out", () => {
  it("frees exactly the bytes that it promised", async () => {
    await afterwards(({ plan, outcome }) => {
      expect(outcome.reclaimedBytes).toBe(plan.plannedBytes);
    });
  });

  it("makes the disk emptier by exactly the bytes that it promised, where nobody else holds content", async () => {
    await afterwards(({ plan, usedBefore, usedAfter, foreign }) => {
      if (!foreign) expect(usedBefore - usedAfter).toBe(plan.plannedBytes);
    });
  });

  it("removes every name that was to go and no other, and deletes exactly the images that were to go", async () => {
    await afterwards(({ plan, outcome }) => {
      const names = plan.images.flatMap((image) => image.names.filter(isGoing).map(({ name }) => name));
      const images = plan.images.filter(isGoing).map(({ image }) => image.target);

      expect(outcome.names.map(({ name }) => name)).toEqual(names);
      expect(outcome.names.every(({ result }) => result.kind === "removed")).toBe(true);
      expect(outcome.deleted.map(({ target }) => target)).toEqual(images);
    });
  });

  it("leaves nothing to do for a second plan", async () => {
    await afterwards(async ({ node }) => {
      const second = await node.replan();

      expect(second.images.flatMap(({ names }) => names.filter(isGoing))).toEqual([]);
      expect(second.plannedBytes).toBe(0);
    });
  });
});

describe("a plan that is carried out while somebody starts containers", () => {
  it("never takes the last name of an image that came into use before its next check", async () => {
    const property = fc.asyncProperty(planInputArbitrary, fc.nat(), fc.nat(3), async (input, pick, after) => {
      const { state, policy, history } = input;
      const node = await planOn(state, { policy, history });
      const all = state.namespaces.flatMap(({ name, images }) => images.map((image) => ({ namespace: name, image })));
      const chosen = all[pick % Math.max(all.length, 1)];
      fc.pre(chosen !== undefined);
      const { namespace, image } = chosen;
      const left = () => targetsLeft(node, namespace).includes(image.target);
      let removed = 0;
      let mustStay = false;

      await node.run({
        onName: () => {
          removed += 1;
          if (removed !== after + 1 || !left()) return;
          mustStay = true;
          node.runtime.addContainer(namespace, { id: "late", imageId: image.id });
        },
      });

      if (mustStay) expect(left()).toBe(true);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

function targetsLeft({ runtime }: PlannedNode, namespace: string): string[] {
  const found = runtime.snapshot().namespaces.find(({ name }) => name === namespace);
  return found?.names.map(({ target }) => target) ?? [];
}

interface Afterwards {
  readonly node: PlannedNode;
  readonly plan: PlannedNode["plan"];
  readonly outcome: Outcome;
  readonly usedBefore: number;
  readonly usedAfter: number;
  /** True when namespaces outside the node's view hold blobs. */
  readonly foreign: boolean;
}

function afterwards(check: (after: Afterwards) => void | Promise<void>): Promise<void> {
  const property = fc.asyncProperty(planInputArbitrary, async ({ state, policy, history }) => {
    const node = await planOn(state, { policy, history });
    const usedBefore = await usedBytes(node);
    const outcome = await node.run({ concurrency: 4 });
    const usedAfter = await usedBytes(node);
    await check({ node, plan: node.plan, outcome, usedBefore, usedAfter, foreign: state.foreignBlobs.length > 0 });
  });
  return fc.assert(property, { numRuns: 200 });
}

async function usedBytes({ runtime }: PlannedNode): Promise<number> {
  const [filesystem] = await runtime.filesystems();
  return filesystem?.usedBytes ?? 0;
}
