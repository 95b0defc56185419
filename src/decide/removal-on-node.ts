// Plans a removal on a whole node: finds the namespace that is meant, and knows who uses what there.
import type { Digest } from "../image/digest.ts";
import { isIdName } from "../image/image-id.ts";
import type { Image, ImageStore, NamespaceState, NodeState, Pod } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import { indexImages } from "./image-index.ts";
import { applyRemoval, planRemoval } from "./removal.ts";
import { cannotUntag, sharesId } from "./removal-conflicts.ts";
import { type RemovalPlan, type RemovalRecord, refusal } from "./removal-types.ts";
import { containerUses, podNeeds } from "./removal-uses.ts";

export interface NodeRemovalRequest {
  readonly ref: string;
  readonly force: boolean;
  readonly noPrune: boolean;
  /**
   * `live`: a real node, with the safer rules. `captured`: a node file, where the reference behaviour holds in namespaces
   * that CRI does not manage.
   */
  readonly origin: "live" | "captured";
  /** False when the runtime cannot take one name from an image that keeps others. Default true. */
  readonly untag?: boolean;
  /** The image store of the Docker Engine that carries the removal out, if one does. */
  readonly engine?: ImageStore | undefined;
}

/** A plan and what it means for the node. */
export interface NodeRemoval {
  readonly namespace: string;
  readonly plan: RemovalPlan;
  /** The images that have no name left afterwards. */
  readonly emptied: readonly Image[];
  /** The names that hold each touched image afterwards. */
  readonly staying: ReadonlyMap<Digest, readonly string[]>;
}

const empty: NamespaceState = {
  name: "default",
  names: [],
  images: [],
  containers: [],
  held: { blobs: [], snapshots: [] },
};

/**
 * Looks for the reference in every namespace and plans its removal in the one that has it. Refuses when several have it:
 * a person who removes something means one thing.
 */
export function planOnNode(
  { namespaces, pods }: Pick<NodeState, "namespaces" | "pods">,
  request: NodeRemovalRequest,
): NodeRemoval {
  const [first = empty, ...others] = namespaces;
  const removals = [first, ...others].map((namespace) => planInNamespace(namespace, pods, request));
  const found = removals.filter(({ plan }) => !isNotFound(plan));
  const chosen = found[0] ?? removals[0];
  if (chosen === undefined) throw new Error("there is always a namespace to look in");
  const isUnreadable = chosen.plan.kind === "refused" && chosen.plan.status === 400;
  if (found.length < 2 || isUnreadable) return chosen;
  const where = found.map(({ namespace }) => namespace).toSorted(compareBytes);
  const message = `ambiguous reference: ${request.ref} is in the namespaces ${where.join(", ")}; name one with --namespace`;
  return { ...chosen, namespace: "", plan: refusal(404, message), emptied: [], staying: new Map() };
}

/** Plans the removal in one namespace. Asked again with fresh containers and pods right before acting. */
export function planInNamespace(
  namespace: NamespaceState,
  pods: readonly Pod[] | null,
  { ref, force, noPrune, origin, untag = true, engine }: NodeRemovalRequest,
): NodeRemoval {
  const criManaged = isCriNamespace(namespace.name);
  const safe = origin === "live" || criManaged;
  const index = indexImages(namespace);
  const place = { namespace, index, criManaged, reading: safe ? "careful" : "resolved" } as const;
  const imageOf = (target: Digest) => index.byTarget.get(target)?.image;
  const records = namespace.names.map(({ name, target, labels }): RemovalRecord => {
    const { parent, pinned = false, digests = [target] } = imageOf(target) ?? {};
    return { name, target, labels, digests, pinned, ...(parent === undefined ? {} : { parent }) };
  });
  const parents = new Set(namespace.images.flatMap(({ parent }) => parent ?? []));
  const wished = planRemoval({
    records,
    containers: containerUses(place),
    ref,
    force,
    noPrune,
    safe,
    pods: podNeeds(pods ?? [], place),
    criManaged,
    parents,
    ...(engine === undefined ? {} : { engine }),
    untag,
    podsUnknown: safe && pods === null,
  });
  const possible = untag ? wished : wholeImagesOnly(wished, records);
  const plan = criManaged && !force ? withoutSharedId(possible, records) : possible;
  const touched = [...new Set(plan.steps.map(({ target }) => target))];
  const left = Map.groupBy(applyRemoval(records, plan), ({ target }) => target);
  const staying = new Map(touched.map((target) => [target, (left.get(target) ?? []).map(({ name }) => name)]));
  const staysBeneath = (target: Digest) => engine !== undefined && parents.has(target);
  const emptied = touched
    .filter((target) => !left.has(target) && !staysBeneath(target))
    .flatMap((target) => imageOf(target) ?? []);
  return { namespace: namespace.name, plan, emptied, staying };
}

/** Refuses to take single names from an image that keeps others. */
function wholeImagesOnly(plan: RemovalPlan, records: readonly RemovalRecord[]): RemovalPlan {
  if (plan.kind === "refused") return plan;
  const targets = new Set(plan.steps.map(({ target }) => target));
  const stays = applyRemoval(records, plan).find(({ target }) => targets.has(target));
  const step = plan.steps.find(({ target }) => target === stays?.target);
  if (stays === undefined || step === undefined) return plan;
  return cannotUntag(step.name, stays);
}

/** Refuses to take the ID name of an image that stays: CRI finds images by it, and only one of those with the same ID holds it. */
function withoutSharedId(plan: RemovalPlan, records: readonly RemovalRecord[]): RemovalPlan {
  const left = applyRemoval(records, plan);
  for (const { name } of plan.steps.filter((step) => isIdName(step.name))) {
    const stays = left.find(({ digests = [] }) => digests.some((digest) => digest === name));
    if (stays !== undefined) return sharesId(name, stays);
  }
  return plan;
}

/** Nothing of that name or ID is there. An ambiguous reference, in contrast, found too much. */
function isNotFound(plan: RemovalPlan): boolean {
  return plan.kind === "refused" && plan.status === 404 && plan.candidates === undefined;
}
