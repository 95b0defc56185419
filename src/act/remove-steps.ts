// Takes the steps of one removal. Right before each of them the plan is made again with the containers and pods of that moment.
import { type NodeRemoval, type NodeRemovalRequest, planInNamespace } from "../decide/removal-on-node.ts";
import { reportsOf } from "../decide/removal-steps.ts";
import type { RemovalPlan, RemovalStep } from "../decide/removal-types.ts";
import type { Digest } from "../image/digest.ts";
import type { Container, NamespaceState, NodeState, Pod } from "../image/node-state.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import type { Clock } from "../observe/clock.ts";
import { podsNow } from "../observe/observe-node.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import {
  blind,
  changedMeanwhile,
  failureOfError,
  failureOfRefusal,
  type ReferenceOutcome,
  type RemovalFailure,
} from "./remove-outcome.ts";

export interface StepsInput {
  readonly removal: NodeRemoval;
  readonly request: NodeRemovalRequest;
  /** The node as it was when the removal was planned. */
  readonly state: NodeState;
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
  /** Milliseconds that one call to the runtime may take. */
  readonly callTimeoutMs: number;
}

export type StepsResult = Pick<ReferenceOutcome, "removed" | "events" | "names" | "emptied" | "error" | "touched">;

/** Milliseconds for which a list of containers counts as read right before a step. */
const freshFor = 200;

/**
 * Takes the steps in order until one fails. What the steps before it did is part of the result. The reference behaviour
 * loses that when a record cannot be shown; on a captured node this is repeated.
 */
export async function takeSteps(input: StepsInput): Promise<StepsResult> {
  const { plan, emptied } = input.removal;
  const run = new StepRun(input);
  const failure = await run.all(plan.steps);
  const refused = plan.kind === "refused" ? failureOfRefusal(plan) : undefined;
  const { report, events } = reportsOf(run.done);
  const left = new Set(plan.steps.filter((step) => !run.gone.has(step)).map(({ target }) => target));
  return {
    removed: refused === undefined ? report : [],
    events,
    names: run.taken.map(({ name, target }) => ({ name, target })),
    emptied: emptied.filter(({ target }) => !left.has(target)),
    error: failure ?? refused,
    touched: plan.steps.length > 0,
  };
}

interface Judged {
  readonly containers: readonly Container[];
  readonly pods: readonly Pod[] | null;
  readonly plan: RemovalPlan;
}

class StepRun {
  /** The steps as far as they are to be reported. */
  readonly done: RemovalStep[] = [];
  /** The steps that took a name away. */
  readonly taken: RemovalStep[] = [];
  /** The steps whose name is gone, taken away by us or by somebody faster. */
  readonly gone = new Set<RemovalStep>();
  readonly #input: StepsInput;
  /** Images that went whole, and the names that went with them. */
  readonly #whole = new Map<Digest, ReadonlySet<string>>();
  #judged: Judged | undefined;
  #containers: { readonly readAt: number; readonly list: readonly Container[] } | undefined;

  constructor(input: StepsInput) {
    this.#input = input;
  }

  async all(steps: readonly RemovalStep[]): Promise<RemovalFailure | undefined> {
    const asked = steps[0]?.target;
    for (const step of steps) {
      const failure = await this.#take(step);
      if (failure === undefined) continue;
      // Parents are a courtesy: that one stays is no failure of what was asked for.
      return step.target === asked ? failure : undefined;
    }
    return undefined;
  }

  async #take(step: RemovalStep): Promise<RemovalFailure | undefined> {
    try {
      // Once an image went whole there is nothing left to refuse.
      const refusal = this.#whole.has(step.target) ? undefined : await this.#refusal(step);
      return refusal ?? (await this.#carryOut(step));
    } catch (error) {
      return failureOfError(error);
    }
  }

  /** Why the step must not be taken now although it was planned. */
  async #refusal(step: RemovalStep): Promise<RemovalFailure | undefined> {
    const { state, removal, pods, runtime } = this.#input;
    const seen = podsNow(pods);
    if (seen.kind === "refused") return blind(seen.message);
    const namespace = state.namespaces.find(({ name }) => name === removal.namespace);
    if (namespace === undefined) return changedMeanwhile(`namespace ${removal.namespace} is gone`);
    const containers = await this.#freshContainers(namespace.name);
    const plan = this.#planWith(namespace, containers, seen.pods);
    if (!plan.steps.some((fresh) => isSame(fresh, step))) {
      return plan.kind === "refused" ? failureOfRefusal(plan) : changedMeanwhile(`${step.name} is needed by now`);
    }
    if (step.kind !== "untag") return undefined;
    const staying = removal.staying.get(step.target) ?? [];
    for (const name of staying) {
      const found = await runtime.findName(namespace.name, name, this.#options);
      if (found?.target === step.target) return undefined;
    }
    return changedMeanwhile(`the names that were to stay are gone, so ${step.name} stays`);
  }

  /** Made again only when containers or pods were read again. */
  #planWith(namespace: NamespaceState, containers: readonly Container[], pods: readonly Pod[] | null): RemovalPlan {
    const known = this.#judged;
    if (known !== undefined && known.containers === containers && known.pods === pods) return known.plan;
    const { plan } = planInNamespace({ ...namespace, containers }, pods, this.#input.request);
    this.#judged = { containers, pods, plan };
    return plan;
  }

  async #carryOut(step: RemovalStep): Promise<RemovalFailure | undefined> {
    const { runtime, removal } = this.#input;
    const { name, target } = step;
    if (step.kind === "create-dangling") {
      await runtime.createName(removal.namespace, { name, target, labels: step.labels ?? {} }, this.#options);
      this.done.push(step);
      return undefined;
    }
    const result = await this.#remove(step);
    if (typeof result === "object") return result;
    this.gone.add(step);
    if (result === "removed") this.taken.push(step);
    this.done.push(result === "removed" ? step : withoutUntagged(step));
    return undefined;
  }

  async #remove({ name, target, ...step }: RemovalStep): Promise<"removed" | "already-gone" | RemovalFailure> {
    const { runtime, removal } = this.#input;
    if (!runtime.capabilities.untag) return this.#removeWhole(name, target);
    const keepParents = this.#input.request.noPrune;
    const result = await runtime.removeName(removal.namespace, name, target, {
      ...this.#options,
      keepParents,
      whole: step.kind === "delete" && step.whole === true,
    });
    if (result !== "moved") return result;
    return changedMeanwhile(`${name} points to another image by now and was left alone`);
  }

  /** The first step of an image takes the image with all its names, the others find that done. */
  async #removeWhole(name: string, target: Digest): Promise<"removed" | "already-gone" | RemovalFailure> {
    const taken = this.#whole.get(target);
    if (taken !== undefined) return taken.has(name) ? "removed" : "already-gone";
    const { runtime, removal, state } = this.#input;
    const namespace = state.namespaces.find((candidate) => candidate.name === removal.namespace);
    const image = namespace?.images.find((candidate) => candidate.target === target);
    if (namespace === undefined || image === undefined) return changedMeanwhile(`${name} is gone`);
    const names = namespace.names.filter((known) => known.target === target).map((known) => known.name);
    const removed = await runtime.removeImage(namespace.name, { ...image, names }, this.#options);
    if (removed.kind === "renamed") return changedMeanwhile(`the image is called ${removed.name} as well by now`);
    this.#whole.set(target, new Set(removed.kind === "removed" ? removed.names : []));
    return removed.kind === "removed" && removed.names.includes(name) ? "removed" : "already-gone";
  }

  async #freshContainers(namespace: string): Promise<readonly Container[]> {
    const now = this.#input.clock.elapsed();
    const known = this.#containers;
    if (known !== undefined && now - known.readAt <= freshFor) return known.list;
    const list = await this.#input.runtime.containers(namespace, this.#options);
    this.#containers = { readAt: now, list };
    return list;
  }

  get #options(): CallOptions {
    return { timeoutMs: this.#input.callTimeoutMs };
  }
}

function isSame(left: RemovalStep, right: RemovalStep): boolean {
  return left.kind === right.kind && left.name === right.name && left.target === right.target;
}

/** Somebody else was faster with the name: that is success, but not ours to report. */
function withoutUntagged(step: RemovalStep): RemovalStep {
  return { ...step, reports: step.reports.filter((report) => "deleted" in report) };
}
