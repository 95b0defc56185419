// Two images (indexes) may share one config and so one image ID, but only one of them holds the ID name.
import type { ImageName } from "../image/node-state.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import type { ImageIndex } from "./image-index.ts";
import { classifyName } from "./name-kind.ts";
import type { Reason } from "./reason.ts";
import { isReadable, lastInOrder, type NameDecision } from "./retention.ts";
import { unneededIn } from "./unneeded.ts";

/** The images of one namespace. */
export interface NamespaceIndex {
  readonly namespace: string;
  readonly index: ImageIndex;
}

/**
 * The decisions of all images of a namespace, with the ID name kept as long as any image with that ID stays. The image that
 * the ID name points to then stays as well, so it keeps a name that people can read: its last one.
 */
export function keepSharedIds(
  { namespace, index }: NamespaceIndex,
  decisions: readonly (readonly NameDecision[])[],
): readonly (readonly NameDecision[])[] {
  const { images, twins } = index;
  const unneeded = unneededIn(index);
  const staying = new Set(twins.filter((group) => group.some((i) => decisions[i]?.some(stays))).flat());
  return decisions.map((names, i) => {
    const goes = unneeded.isAt(i, names) || !names.some(stays);
    const id = images[i]?.image.id ?? "";
    return staying.has(i) || !goes ? keepSharedId(names, (name) => isSharedIdName(name, { namespace, id })) : names;
  });
}

function keepSharedId(names: readonly NameDecision[], isShared: (name: ImageName) => boolean): readonly NameDecision[] {
  const shared = names.find((decision) => !stays(decision) && isShared(decision.name));
  if (shared === undefined) return names;
  const last = names.some((decision) => stays(decision) && isReadable(decision)) ? undefined : lastInOrder(names);
  return names.map((decision) => {
    if (decision === shared) return kept(decision, companion);
    if (decision === last) return kept(decision, lastName);
    if (last === undefined || !isDigestReferenceOf(last, decision)) return decision;
    return kept(decision, { code: "companion-of-tag", detail: `${last.name.name} stays` });
  });
}

const companion: Reason = { code: "companion-of-image", detail: "another image with the same ID stays" };
const lastName: Reason = { code: "last-name", detail: "the ID name stays for another image with the same ID" };

/** A digest reference lives with a tag of its repository (design: identity, 3). */
function isDigestReferenceOf(tag: NameDecision, { name, kind }: NameDecision): boolean {
  if (tag.kind !== "tag" || kind !== "digest-reference") return false;
  return classifyName(name).repository === classifyName(tag.name).repository;
}

/** True for the ID name that stands for all images with this ID: the name is CRI's, by its namespace or by its label. */
export function isSharedIdName(
  { name, labels }: ImageName,
  { namespace, id }: { readonly namespace: string; readonly id: string },
): boolean {
  return name === id && (isCriNamespace(namespace) || labels["io.cri-containerd.image"] === "managed");
}

function stays(decision: NameDecision): boolean {
  return decision.remove === undefined;
}

function kept({ name, kind }: NameDecision, reason: Reason): NameDecision {
  return { name, kind, keep: [reason] };
}
