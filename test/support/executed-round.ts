// Plans on an embedded runtime and carries the plan out, with everything in reach of the test.
import { execute } from "../../src/act/execute.ts";
import type { ExecuteInput } from "../../src/act/execute-input.ts";
import type { Outcome } from "../../src/act/outcome.ts";
import type { Demand } from "../../src/decide/demand.ts";
import { emptyHistory, type History } from "../../src/decide/history.ts";
import { makePlan, type Plan } from "../../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import type { Clock } from "../../src/observe/clock.ts";
import { createEmbeddedRuntime, type EmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import type { Capabilities } from "../../src/runtime/runtime.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createFakePods, type FakePods } from "./fake-pods.ts";

export interface PlannedNode {
  readonly runtime: EmbeddedRuntime;
  readonly pods: FakePods;
  readonly plan: Plan;
  /** Carries the plan out. Every check reads the containers anew unless `more` says otherwise. */
  run(more?: Partial<ExecuteInput>): Promise<Outcome>;
  /** The plan that would be made now. */
  replan(): Promise<Plan>;
  /** Names of a namespace that are there now. */
  names(namespace: string): string[];
}

export interface Rules {
  readonly policy?: Policy;
  readonly history?: History;
  /** What must be freed. */
  readonly demand?: Demand;
  /** What the runtime cannot do. */
  readonly capabilities?: Partial<Capabilities>;
}

/** A runtime that knows images only as a whole and tells their sizes, as CRI does. */
export const wholeImages: Partial<Capabilities> = {
  untag: false,
  exactBytes: false,
  createNames: false,
  content: false,
};

/** Looks at the node through an embedded runtime and plans. */
export async function planOn(state: NodeState, rules: Rules = {}): Promise<PlannedNode> {
  const { policy = removeAllUnused, history = emptyHistory("record-time") } = rules;
  const runtime = createEmbeddedRuntime(state, { capabilities: rules.capabilities ?? {} });
  const pods = createFakePods(state.pods);
  const seen = async (): Promise<NodeState> => ({
    takenAt: state.takenAt,
    ...(await runtime.observe()),
    pods: state.pods,
  });
  const demand = rules.demand === undefined ? {} : { demand: rules.demand };
  const planned = { state: await seen(), policy, history, ...demand };
  const plan = makePlan(planned);
  return {
    runtime,
    pods,
    plan,
    run: (more) =>
      execute({
        planned,
        plan,
        runtime,
        pods,
        clock: runtime.capabilities.exactBytes ? createFakeClock(state.takenAt) : impatientClock(state.takenAt),
        freshFor: -1,
        concurrency: 1,
        callTimeoutMs: 1_000,
        ...more,
      }),
    replan: async () => makePlan({ state: await seen(), policy, history, ...demand }),
    names: (namespace) =>
      runtime
        .snapshot()
        .namespaces.filter(({ name }) => name === namespace)
        .flatMap(({ names }) => names.map(({ name }) => name)),
  };
}

/** Stands still, and wakes sleepers at once: measuring what was freed waits between two counts. */
function impatientClock(now: number): Clock {
  return { ...createFakeClock(now), sleep: async () => {} };
}
