// Gathers one immutable NodeState through the ports, or refuses: without a clear view nothing is removed.
import type { NodeState, Pod } from "../image/node-state.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import type { ContainerRuntime, ObserveOptions } from "../runtime/runtime.ts";
import type { Clock } from "./clock.ts";

/** What a look at the node gave. A refusal names its cause and the mend; it is not an error of the runtime. */
export type Observation =
  | { readonly kind: "seen"; readonly state: NodeState }
  | { readonly kind: "refused"; readonly reason: "pods-not-synced"; readonly message: string };

export interface ObserveInput {
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
}

/**
 * Looks at the node: first the runtime, then the pods, so that a pod bound meanwhile is not missed. Throws `RuntimeError`
 * when the runtime cannot be read.
 */
export async function observeNode(
  { runtime, pods, clock }: ObserveInput,
  options?: ObserveOptions,
): Promise<Observation> {
  const takenAt = clock.now();
  const state = await runtime.observe(options);
  const seen = podsNow(pods);
  if (seen.kind === "refused") return seen;
  return { kind: "seen", state: { takenAt, ...state, pods: seen.pods } };
}

/** The pods as they are known now: null without a pod source, a refusal when they are not known well enough. */
export function podsNow(
  source: PodSource,
): { readonly kind: "known"; readonly pods: readonly Pod[] | null } | Extract<Observation, { kind: "refused" }> {
  const view = source.view();
  switch (view.kind) {
    case "none":
      return { kind: "known", pods: null };
    case "synced":
      return { kind: "known", pods: view.pods };
    case "unsynced":
      return { kind: "refused", reason: "pods-not-synced", message: view.reason };
  }
}
