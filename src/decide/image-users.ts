// Who uses an image, as things and not as reasons: containers and pods. Pure; the same reading of uses as plans are made by.
import type { Digest } from "../image/digest.ts";
import type { Container, NamespaceState, NodeState, Pod } from "../image/node-state.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import { indexImages } from "./image-index.ts";
import { findUses, type Usage } from "./usage.ts";

export interface ImageUsers {
  readonly containers: readonly Container[];
  readonly pods: readonly Pod[];
}

/** Tells the users of an image of a namespace, by its target. */
export type UserFinder = (namespace: string, target: Digest) => ImageUsers;

const nobody: ImageUsers = { containers: [], pods: [] };

/** Finds out the users of all images of a node. */
export function createUserFinder(state: Pick<NodeState, "namespaces" | "pods">): UserFinder {
  const users = new Map(state.namespaces.map((namespace) => [namespace.name, usersIn(namespace, state.pods ?? [])]));
  return (namespace, target) => users.get(namespace)?.get(target) ?? nobody;
}

interface Users {
  readonly containers: Container[];
  readonly pods: Pod[];
}

function usersIn(namespace: NamespaceState, pods: readonly Pod[]): ReadonlyMap<Digest, ImageUsers> {
  const users = new Map<Digest, Users>();
  const index = indexImages(namespace);
  const criManaged = isCriNamespace(namespace.name);
  const usersOf = (target: Digest): Users => {
    const known = users.get(target) ?? { containers: [], pods: [] };
    users.set(target, known);
    return known;
  };
  const targetsUsedBy = (containers: readonly Container[], asking: readonly Pod[]): ReadonlySet<Digest> => {
    const one = { ...namespace, containers };
    const usage = findUses({ namespace: one, index, pods: asking, semantics: "strict", criManaged });
    return targetsOf(usage, (name) => index.nameOf(name)?.target);
  };
  for (const container of namespace.containers) {
    for (const target of targetsUsedBy([container], [])) usersOf(target).containers.push(container);
  }
  for (const pod of pods) for (const target of targetsUsedBy([], [pod])) usersOf(target).pods.push(pod);
  return users;
}

function targetsOf(usage: Usage, targetOfName: (name: string) => Digest | undefined): ReadonlySet<Digest> {
  const named = [...usage.names.keys()].map(targetOfName).filter((target) => target !== undefined);
  return new Set([...usage.images.keys(), ...named]);
}
