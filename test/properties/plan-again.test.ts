// Plans share what follows from names and images alone, as long as those do not change. Nobody can tell that from a plan.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePlan, type PlanInput } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { NamespaceState, NodeState } from "../../src/image/node-state.ts";
import { historyArbitrary, planInputArbitrary, policyArbitrary } from "../support/node-arbitrary.ts";

type Change = (input: PlanInput, pick: number) => PlanInput;

const changes: Readonly<Record<string, Change>> = {
  nothing: (input) => input,
  "no containers": (input) => inEach(input, (namespace) => ({ ...namespace, containers: [] })),
  "one container less": (input, pick) =>
    inEach(input, (namespace) => ({ ...namespace, containers: without(namespace.containers, pick) })),
  "no pods": ({ state, ...input }) => ({ ...input, state: { ...state, pods: [] } }),
  "nobody tells of pods": ({ state, ...input }) => ({ ...input, state: { ...state, pods: null } }),
  "one name less": (input, pick) =>
    inEach(input, (namespace) => ({ ...namespace, names: without(namespace.names, pick) })),
  "one image held": (input, pick) => inEach(input, (namespace) => withHeld(namespace, pick)),
  "an hour later": ({ state, ...input }) => ({ ...input, state: { ...state, takenAt: state.takenAt + 3_600_000 } }),
  "long before": ({ state, ...input }) => ({ ...input, state: { ...state, takenAt: 1_000 } }),
  "no history": (input) => ({ ...input, history: { namespaces: new Map(), unknown: "record-time" } }),
  "everything may go": (input) => ({ ...input, policy: removeAllUnused }),
  "reference behaviour": (input) => ({ ...input, policy: { ...input.policy, semantics: "compat" } }),
  "an engine": ({ state, ...input }) => ({
    ...input,
    state: { ...state, runtime: { ...state.runtime, imageStore: "containerd" } },
  }),
  "a full disk": (input, pick) => ({
    ...input,
    demand: { mode: "pressure", bytes: pick % 10_000, inodes: 0, because: "the disk is full" },
  }),
};

const planned = planInputArbitrary.chain(({ state, history, policy }) =>
  fc.record({
    input: fc.constant({ state, history, policy }),
    other: fc.record({ history: historyArbitrary(state), policy: policyArbitrary }),
    steps: fc.array(fc.tuple(fc.constantFrom(...Object.values(changes)), fc.nat()), { minLength: 1, maxLength: 6 }),
  }),
);

describe("a plan after other plans of the same names and images", () => {
  it("is the plan of a node that was never seen before", () => {
    fc.assert(
      fc.property(planned, ({ input, other, steps }) => {
        let current: PlanInput = input;
        for (const [change, pick] of steps) {
          current = change(current, pick);
          expect(makePlan(current)).toEqual(makePlan(neverSeen(current)));
          const differently = { ...current, ...other };
          expect(makePlan(differently)).toEqual(makePlan(neverSeen(differently)));
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Functions (keep patterns) cannot be cloned; everything else is. */
function neverSeen({ state, history, ...others }: PlanInput): PlanInput {
  return { ...others, state: structuredClone(state), history: structuredClone(history) };
}

function inEach({ state, ...input }: PlanInput, change: (namespace: NamespaceState) => NamespaceState): PlanInput {
  const changed: NodeState = { ...state, namespaces: state.namespaces.map(change) };
  return { ...input, state: changed };
}

function without<Item>(items: readonly Item[], pick: number): readonly Item[] {
  return items.filter((_, i) => i !== pick % items.length);
}

function withHeld(namespace: NamespaceState, pick: number): NamespaceState {
  const { target } = namespace.images[pick % namespace.images.length] ?? {};
  const blobs = target === undefined ? namespace.held.blobs : [...namespace.held.blobs, target];
  return { ...namespace, held: { ...namespace.held, blobs } };
}
