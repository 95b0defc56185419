// The pod source for Kubernetes: the pods of this node, listed once and then watched.
import type { Pod } from "../image/node-state.ts";
import { type FollowOptions, follow } from "./follow.ts";
import { listAll } from "./list.ts";
import { toPod } from "./pod-images.ts";
import type { PodSource, PodsView } from "./pod-source.ts";
import type { Resource } from "./resource.ts";
import type { Known } from "./view.ts";

export interface WatchPodsOptions extends FollowOptions {
  readonly nodeName: string;
}

/** The pods of `nodeName`. Does nothing before `start`; never throws out of the background. */
export function watchPods(options: WatchPodsOptions): PodSource {
  const followed = follow(podsOn(options.nodeName), options);
  return {
    ...followed,
    view: () => toPodsView(followed.view()),
    ready: async (timeoutMs) => toPodsView(await followed.ready(timeoutMs)),
  };
}

/** The pods that are bound to a node. */
export function podsOn(nodeName: string): Resource<Pod> {
  const resource: Resource<Pod> = {
    noun: "pods",
    selection: "the pods of this node",
    readVerb: "list",
    path: "/api/v1/pods",
    fieldSelector: `spec.nodeName=${nodeName}`,
    read: toPod,
    keyOf: (pod) => pod.uid,
    compare: (one, other) =>
      compare(one.namespace, other.namespace) || compare(one.name, other.name) || compare(one.uid, other.uid),
    list: (context, freshness) => listAll(context, resource, freshness),
  };
  return resource;
}

function toPodsView(known: Known<Pod>): PodsView {
  return known.kind === "unsynced" ? known : { kind: "synced", pods: known.items, confirmedAt: known.confirmedAt };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
