// How long plans take on one node, look after look.
import { emptyHistory } from "../src/decide/history.ts";
import { makePlan } from "../src/decide/plan.ts";
import { removeAllUnused } from "../src/decide/policy.ts";
import type { NodeState } from "../src/image/node-state.ts";

/** The node at the next look: other containers, and the lists of names and images that did not change. */
export function sameLists(state: NodeState): NodeState {
  const namespaces = state.namespaces.map((namespace) => ({ ...namespace, containers: [...namespace.containers] }));
  return { ...state, namespaces };
}

/** Milliseconds of each of `repeats` plans. Wall time: kernels that count CPU time in ticks of 4 ms would blur it. */
export function timesOf(
  state: NodeState,
  repeats: number,
  nextLook: (state: NodeState) => NodeState,
): readonly number[] {
  return Array.from({ length: repeats }, () => {
    const seen = nextLook(state);
    const startedAt = performance.now();
    makePlan({ state: seen, history: emptyHistory("record-time"), policy: removeAllUnused });
    return performance.now() - startedAt;
  });
}
