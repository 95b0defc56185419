// The theorems about runtimes that remove only whole images, on generated nodes: what is decided, and what then happens.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/act/outcome.ts";
import { makePlan, type Plan } from "../../src/decide/plan.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { type PlannedNode, planOn, wholeImages } from "../support/executed-round.ts";
import { planInputArbitrary } from "../support/node-arbitrary.ts";

describe("a plan for a runtime that cannot untag", () => {
  it("takes all names of an image or none", () => {
    fc.assert(
      fc.property(planInputArbitrary, (input) => {
        const plan = makePlan({ ...input, state: withoutUntag(input.state) });

        for (const { action, names } of plan.images) {
          expect(new Set(names.map((name) => name.action))).toEqual(new Set([action === "delete" ? "untag" : "keep"]));
        }
      }),
      { numRuns: 250 },
    );
  });

  it("deletes the images that it would delete elsewhere, and says why a spare name stays", () => {
    fc.assert(
      fc.property(planInputArbitrary, (input) => {
        const elsewhere = makePlan(input);
        const plan = makePlan({ ...input, state: withoutUntag(input.state) });
        const spared = namesThat(elsewhere, "untag").filter((name) => !namesThat(plan, "untag").includes(name));

        expect(deletedBy(plan)).toEqual(deletedBy(elsewhere));
        expect(namesKeptFor(plan, "runtime-cannot-untag")).toEqual(spared);
      }),
      { numRuns: 250 },
    );
  });
});

describe("a plan that was carried out on a runtime that cannot untag", () => {
  it("removes every image that was to go with all its names, each by one call, and nothing else", async () => {
    await afterwards(({ node, outcome }) => {
      const going = node.plan.images.filter(({ action }) => action === "delete");

      expect(outcome.names.map(({ name }) => name)).toEqual(
        going.flatMap(({ names }) => names.map(({ name }) => name)),
      );
      expect(outcome.names.every(({ result }) => result.kind === "removed")).toBe(true);
      expect(outcome.deleted.map(({ target }) => target)).toEqual(going.map(({ image }) => image.target));
      expect(node.runtime.callCount("removeImage")).toBe(going.length);
      expect(node.runtime.callCount("removeName")).toBe(0);
    });
  });

  it("reports the bytes that images take less than before", async () => {
    await afterwards(({ outcome, usedBefore, usedAfter }) => {
      expect(outcome.reclaimedBytes).toBe(usedBefore - usedAfter);
    });
  });

  it("leaves nothing to do for a second plan", async () => {
    await afterwards(async ({ node }) => {
      expect(namesThat(await node.replan(), "untag")).toEqual([]);
    });
  });

  it("never takes an image that came into use before its next check", async () => {
    const property = fc.asyncProperty(planInputArbitrary, fc.nat(), fc.nat(3), async (input, pick, after) => {
      const node = await planOn(input.state, { ...input, capabilities: wholeImages });
      const all = input.state.namespaces.flatMap(({ name, images }) =>
        images.map((image) => ({ namespace: name, image })),
      );
      const chosen = all[pick % Math.max(all.length, 1)];
      fc.pre(chosen !== undefined);
      const { namespace, image } = chosen;
      const isLeft = () => targetsIn(node, namespace).includes(image.target);
      let done = 0;
      let mustStay = false;

      await node.run({
        onName: ({ target }) => {
          done += 1;
          if (done !== after + 1 || target === image.target || !isLeft()) return;
          mustStay = true;
          node.runtime.addContainer(namespace, { id: "late", imageId: image.id });
        },
      });

      if (mustStay) expect(isLeft()).toBe(true);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

interface Afterwards {
  readonly node: PlannedNode;
  readonly outcome: Outcome;
  readonly usedBefore: number;
  readonly usedAfter: number;
}

function afterwards(check: (after: Afterwards) => void | Promise<void>): Promise<void> {
  const property = fc.asyncProperty(planInputArbitrary, async (input) => {
    const node = await planOn(input.state, { ...input, capabilities: wholeImages });
    const usedBefore = (await node.runtime.imageUsage())?.bytes ?? 0;
    const outcome = await node.run({ concurrency: 4 });
    const usedAfter = (await node.runtime.imageUsage())?.bytes ?? 0;
    await check({ node, outcome, usedBefore, usedAfter });
  });
  return fc.assert(property, { numRuns: 200 });
}

function withoutUntag(state: NodeState): NodeState {
  return { ...state, runtime: { ...state.runtime, untag: false } };
}

function namesThat(plan: Plan, action: "untag" | "keep"): readonly string[] {
  return plan.images.flatMap(({ namespace, names }) =>
    names.filter((name) => name.action === action).map(({ name }) => `${namespace} ${name}`),
  );
}

function namesKeptFor(plan: Plan, code: string): readonly string[] {
  return plan.images.flatMap(({ namespace, names }) =>
    names
      .filter(({ action, reasons }) => action === "keep" && reasons.some((reason) => reason.code === code))
      .map(({ name }) => `${namespace} ${name}`),
  );
}

function deletedBy(plan: Plan): readonly string[] {
  return plan.images
    .filter(({ action }) => action === "delete")
    .map(({ namespace, image }) => `${namespace} ${image.target}`);
}

function targetsIn({ runtime }: PlannedNode, namespace: string): readonly string[] {
  const found = runtime.snapshot().namespaces.find(({ name }) => name === namespace);
  return found?.names.map(({ target }) => target) ?? [];
}
