// Deciding alone: a pure function over growing nodes, which must grow with the node and not with its square.
import { emptyHistory } from "../src/decide/history.ts";
import { makePlan } from "../src/decide/plan.ts";
import { removeAllUnused } from "../src/decide/policy.ts";
import type { NodeState } from "../src/image/node-state.ts";
import { type Benchmark, median, medianFigure } from "./benchmark.ts";
import { syntheticState } from "./node-state.ts";

export const decide: Benchmark = {
  name: "decide",
  title: "Deciding alone",
  async run({ quick }) {
    const repeats = quick ? 5 : 25;
    const state = syntheticState(5_000, 1_000);
    const first = timesOf(state, 1, sameLists);
    const middle = timesOf(state, repeats, sameLists);
    const allNew = timesOf(state, repeats, (one) => structuredClone(one));
    const small = timesOf(syntheticState(1_000, 200), repeats, sameLists);
    const large = timesOf(syntheticState(10_000, 2_000), repeats, sameLists);
    return [
      medianFigure("5,000 images, 1,000 containers: the very first time", "ms", first),
      medianFigure("5,000 images, 1,000 containers", "ms", middle, { target: 100 }),
      medianFigure("the same, all objects new", "ms", allNew),
      medianFigure("1,000 images, 200 containers", "ms", small),
      medianFigure("10,000 images, 2,000 containers", "ms", large),
      { what: "growth from 1,000 to 10,000 images", unit: "x", value: median(large) / median(small), target: 12 },
    ];
  },
};

/** The node at the next look: other containers, and the lists of names and images that did not change. */
function sameLists(state: NodeState): NodeState {
  const namespaces = state.namespaces.map((namespace) => ({ ...namespace, containers: [...namespace.containers] }));
  return { ...state, namespaces };
}

/** Milliseconds of each of `repeats` plans. Wall time: kernels that count CPU time in ticks of 4 ms would blur it. */
function timesOf(state: NodeState, repeats: number, nextLook: (state: NodeState) => NodeState): readonly number[] {
  return Array.from({ length: repeats }, () => {
    const seen = nextLook(state);
    const startedAt = performance.now();
    makePlan({ state: seen, history: emptyHistory("record-time"), policy: removeAllUnused });
    return performance.now() - startedAt;
  });
}
