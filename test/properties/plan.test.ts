// The theorems about plans, on generated nodes, histories and policies.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { History } from "../../src/decide/history.ts";
import { classifyName } from "../../src/decide/name-kind.ts";
import { type ImageVerdict, makePlan, type Plan } from "../../src/decide/plan.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { now, planInputArbitrary, type TrueUse } from "../support/node-arbitrary.ts";
import { containerOf } from "../support/node-builder.ts";

interface Input {
  readonly state: NodeState;
  readonly uses: readonly TrueUse[];
  readonly policy: Policy;
  readonly history: History;
}

describe("a plan", () => {
  it("keeps at least one name of every image that a container or a pod uses, however the use is spelled", () => {
    holds((input, plan) => {
      const needed = input.uses.flatMap(({ namespace, target }) => (target === undefined ? [] : [[namespace, target]]));

      const lost = needed.filter(([namespace, target]) =>
        plan.images.some((v) => v.action === "delete" && v.namespace === namespace && v.image.target === target),
      );

      expect(lost).toEqual([]);
    });
  });

  it("keeps every name that a container or a pod spells", () => {
    holds((input, plan) => {
      const gone = untagged(plan);

      expect(input.uses.filter(({ namespace, name }) => name !== undefined && gone.has(key(namespace, name)))).toEqual(
        [],
      );
    });
  });

  it("keeps pinned images whole", () => {
    holds((_, plan) => {
      expect([...untagged(plan, (verdict) => verdict.image.pinned)]).toEqual([]);
    });
  });

  it("keeps names whose record is younger than the minimum age or not accepted by a filter", () => {
    holds(({ state, policy }, plan) => {
      const gone = untagged(plan);
      const protectedNames = state.namespaces.flatMap((namespace) =>
        namespace.names
          .filter(({ createdAt }) => {
            const young = createdAt !== undefined && now - createdAt < policy.minAge;
            return young || policy.until.some((limit) => createdAt === undefined || createdAt >= limit);
          })
          .map(({ name }) => key(namespace.name, name)),
      );

      expect(protectedNames.filter((name) => gone.has(name))).toEqual([]);
    });
  });

  it("never leaves an image of Kubernetes with its ID name alone when it had a tag or a digest reference", () => {
    holds((_, plan) => {
      const kubernetes = plan.images.filter((verdict) => verdict.namespace === "k8s.io" && verdict.action === "keep");

      const turned = kubernetes.filter(({ names }) => {
        const readable = names.filter((name) => classifyName(name).kind !== "id");
        return readable.length > 0 && readable.every(({ action }) => action === "untag");
      });

      expect(turned).toEqual([]);
    });
  });

  it("gives every name of the node exactly one verdict with a reason", () => {
    holds(({ state }, plan) => {
      const judged = plan.images.flatMap((v) => v.names.map(({ name }) => key(v.namespace, name)));

      expect(judged.toSorted()).toEqual(
        state.namespaces.flatMap((n) => n.names.map(({ name }) => key(n.name, name))).sort(),
      );
      for (const verdict of plan.images) for (const name of verdict.names) expect(name.reasons).not.toEqual([]);
    });
  });

  it("is the same for the same input, and does not depend on the order in which things are listed", () => {
    holds((input, plan) => {
      const again = makePlan(structuredCloneOf(input));
      const reversed = makePlan({ ...input, state: reversedState(input.state) });

      expect(again).toEqual(plan);
      expect(shapeOf(reversed)).toEqual(shapeOf(plan));
    });
  });

  it("deletes fewer images, never others, when a use is added", () => {
    fc.assert(
      fc.property(planInputArbitrary, fc.nat(), fc.boolean(), (input, pick, byName) => {
        const before = makePlan(input);
        const after = makePlan({ ...input, state: withOneMoreUse(input.state, pick, byName) });

        expect([...deleted(after)].filter((image) => !deleted(before).has(image))).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  it("untags another name when a use is added only where the old one was nothing but the last or a companion", () => {
    const replaceable = new Set(["last-name", "companion-of-tag", "companion-of-image", "recently-used"]);
    fc.assert(
      fc.property(planInputArbitrary, fc.nat(), (input, pick) => {
        const before = makePlan(input);
        const after = untagged(makePlan({ ...input, state: withOneMoreUse(input.state, pick, true) }));

        for (const { namespace, names } of before.images) {
          for (const name of names.filter(({ action }) => action === "keep")) {
            if (after.has(key(namespace, name.name))) expect(replaceable).toContain(name.reasons[0]?.code);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  it("deletes no image that the reference behaviour keeps", () => {
    fc.assert(
      fc.property(planInputArbitrary, (input) => {
        // Where dangling images have rules of their own, ID names count as dangling for Kubernetes alone: no comparison there.
        const policy = { ...input.policy, danglingOnly: false, danglingFor: undefined };
        const strict = makePlan({ ...input, policy });
        const compat = makePlan({ ...input, policy: { ...policy, semantics: "compat" } });

        expect([...deleted(strict)].filter((image) => !deleted(compat).has(image))).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  it("frees at least what each image alone would free, and no more than all the bytes of what goes", () => {
    holds((_, plan) => {
      const going = plan.images.filter(({ action }) => action === "delete");
      const alone = going.reduce((sum, { bytes }) => sum + bytes, 0);
      const all = going
        .flatMap(({ image }) => [...image.blobs, ...image.snapshots])
        .reduce((sum, { size }) => sum + size, 0);

      expect(plan.plannedBytes).toBeGreaterThanOrEqual(alone);
      expect(plan.plannedBytes).toBeLessThanOrEqual(all);
    });
  });
});

function holds(check: (input: Input, plan: Plan) => void): void {
  fc.assert(
    fc.property(planInputArbitrary, (input) => check(input, makePlan(input))),
    { numRuns: 250 },
  );
}

function key(namespace: string, name: string): string {
  return JSON.stringify([namespace, name]);
}

function untagged(plan: Plan, where: (verdict: ImageVerdict) => boolean = () => true): ReadonlySet<string> {
  const names = plan.images
    .filter(where)
    .flatMap((v) => v.names.filter(({ action }) => action === "untag").map(({ name }) => key(v.namespace, name)));
  return new Set(names);
}

function deleted(plan: Plan): ReadonlySet<string> {
  const gone = plan.images.filter(({ action }) => action === "delete");
  return new Set(gone.map(({ namespace, image }) => key(namespace, image.target)));
}

/** Functions (keep patterns) cannot be cloned; everything else is. */
function structuredCloneOf({ state, history, policy }: Input) {
  return { state: structuredClone(state), history: structuredClone(history), policy };
}

function reversedState(state: NodeState): NodeState {
  const namespaces = state.namespaces.map((namespace) => ({
    ...namespace,
    names: namespace.names.toReversed(),
    images: namespace.images.toReversed(),
    containers: namespace.containers.toReversed(),
  }));
  return { ...state, namespaces, pods: state.pods?.toReversed() ?? null };
}

/** A plan without the order and wording of reasons, which follow the order of containers. */
function shapeOf(plan: Plan) {
  const images = plan.images.map(({ namespace, action, image, names, bytes }) => ({
    of: [namespace, action, image.target, bytes],
    names: names.map((v) => [v.action, v.name, [...new Set(v.reasons.map(({ code }) => code))].sort().join()]),
  }));
  return { images, plannedBytes: plan.plannedBytes };
}

function withOneMoreUse(state: NodeState, pick: number, byName: boolean): NodeState {
  const all = state.namespaces.flatMap((namespace) => namespace.names.map((name) => ({ namespace, name })));
  const chosen = all[pick % Math.max(all.length, 1)];
  if (chosen === undefined) return state;
  const { name, target } = chosen.name;
  const container = containerOf("one-more", { image: byName ? name : "", imageId: target });
  const namespaces = state.namespaces.map((namespace) =>
    namespace === chosen.namespace ? { ...namespace, containers: [...namespace.containers, container] } : namespace,
  );
  return { ...state, namespaces };
}
