// Carries out what a person asked for with `rmi`: one reference after the other, each on the node as the ones before left it.
import type { ImageVerdict } from "../decide/plan.ts";
import { measureReclaim } from "../decide/reclaim.ts";
import { type NodeRemoval, type NodeRemovalRequest, planOnNode } from "../decide/removal-on-node.ts";
import type { Digest } from "../image/digest.ts";
import type { NodeState } from "../image/node-state.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import type { Clock } from "../observe/clock.ts";
import { observeNode } from "../observe/observe-node.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import { graceAfter } from "./grace.ts";
import { createFreedMeter, type FreedMeter } from "./measure.ts";
import {
  blind,
  failureOfError,
  type ReferenceOutcome,
  type RemovalFailure,
  type RemovalOutcome,
} from "./remove-outcome.ts";
import { takeSteps } from "./remove-steps.ts";

export interface RemoveInput extends Omit<NodeRemovalRequest, "ref" | "untag"> {
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
  /** The node as it was seen at first. */
  readonly state: NodeState;
  /** The namespaces to look in; all that were observed when undefined. */
  readonly namespaces?: readonly string[] | undefined;
  /** What the person named, in the order in which it is removed. */
  readonly references: readonly string[];
  /** Milliseconds that one call to the runtime may take. */
  readonly callTimeoutMs: number;
  /** Awaited before a reference's names are touched. Must not reject. */
  readonly beforeRemoval?: (removal: NodeRemoval, state: NodeState) => Promise<void>;
  /** Called after each reference. */
  readonly onReference?: (outcome: ReferenceOutcome) => void;
  /** When it fires, references that have not begun are not tried; the collection still takes place. */
  readonly signal?: AbortSignal;
}

/** Removes the references. Never throws for one that cannot be removed: the others follow, and the outcome tells. */
export async function removeReferences(input: RemoveInput): Promise<RemovalOutcome> {
  const references: ReferenceOutcome[] = [];
  let state: NodeState | undefined = input.state;
  let stale = false;
  const meter = await createFreedMeter(input.runtime, input.clock, callOptions(input));
  for (const reference of input.references) {
    // Looking again is only worth its while when something changed; each step looks at its uses anyway.
    if (stale) state = await lookAgain(input);
    const outcome = await removeOne(reference, state, input);
    input.onReference?.(outcome);
    references.push(outcome);
    stale = outcome.touched || state === undefined;
  }
  return { references, ...(await collect(references, meter, input)) };
}

async function removeOne(
  reference: string,
  state: NodeState | undefined,
  input: RemoveInput,
): Promise<ReferenceOutcome> {
  const startedAt = input.clock.elapsed();
  const done = (part: Partial<ReferenceOutcome>): ReferenceOutcome => ({
    reference,
    namespace: "",
    removed: [],
    events: [],
    names: [],
    emptied: [],
    error: undefined,
    touched: false,
    plannedBytes: 0,
    ...part,
    seconds: (input.clock.elapsed() - startedAt) / 1000,
  });
  if (input.signal?.aborted) return done({ error: blind(`${reference} was not tried: the command was stopped`) });
  if (state === undefined)
    return done({ error: blind(`${reference} was not tried: the node could not be seen again`) });
  const seen = only(state, input.namespaces);
  const engine = input.origin === "live" ? state.runtime.imageStore : undefined;
  const request: NodeRemovalRequest = { ...input, engine, ref: reference, untag: input.runtime.capabilities.untag };
  const removal = planOnNode(seen, request);
  const { namespace, plan } = removal;
  const plannedBytes = plan.kind === "removal" ? bytesOf(state, removal) : 0;
  if (plan.steps.length > 0) await input.beforeRemoval?.(removal, state);
  const result = await takeSteps({ ...input, removal, request, state: seen });
  return done({ namespace, plannedBytes, ...result });
}

function only(state: NodeState, namespaces: readonly string[] | undefined): NodeState {
  if (namespaces === undefined) return state;
  return { ...state, namespaces: state.namespaces.filter(({ name }) => namespaces.includes(name)) };
}

function bytesOf(state: NodeState, { namespace, emptied }: ReturnType<typeof planOnNode>): number {
  const holders = state.namespaces.flatMap(({ name, images }) => images.map((image) => ({ namespace: name, image })));
  return measureReclaim(state, holders).together(emptied.map((image) => ({ namespace, image })));
}

/** Undefined when the node cannot be seen clearly any more: then the references that follow fail. */
async function lookAgain(input: RemoveInput): Promise<NodeState | undefined> {
  try {
    const seen = await observeNode(input, callOptions(input));
    return seen.kind === "seen" ? seen.state : undefined;
  } catch (error) {
    failureOfError(error);
    return undefined;
  }
}

type Collected = Pick<RemovalOutcome, "reclaimedBytes"> & { readonly collectFailure?: RemovalFailure };

/** One collection for all references; none when every image keeps a name. */
async function collect(
  references: readonly ReferenceOutcome[],
  meter: FreedMeter,
  input: RemoveInput,
): Promise<Collected> {
  const emptied = new Map<string, Map<Digest, ImageVerdict>>();
  for (const { namespace, emptied: images } of references) {
    const known = emptied.get(namespace) ?? new Map<Digest, ImageVerdict>();
    emptied.set(namespace, known);
    for (const image of images) {
      known.set(image.target, { action: "delete", namespace, image, names: [], reasons: [], bytes: 0, bytesInPlan: 0 });
    }
  }
  const all = [...emptied.values()].flatMap((images) => [...images.values()]);
  if (all.length === 0) return { reclaimedBytes: 0 };
  const { signal, end } = graceAfter(input.signal, input.clock);
  try {
    await input.runtime.collect({ signal });
    return { reclaimedBytes: await meter.freedBy(all, { ...callOptions(input), signal }, input.signal) };
  } catch (error) {
    return { reclaimedBytes: 0, collectFailure: failureOfError(error) };
  } finally {
    end();
  }
}

function callOptions({ callTimeoutMs }: RemoveInput): CallOptions {
  return { timeoutMs: callTimeoutMs };
}
