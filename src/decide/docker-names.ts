// Which names of an image stay on a Docker Engine: there tags and digest references of one repository go and stay together.
import type { Digest } from "../image/digest.ts";
import type { NamespaceState, NodeState } from "../image/node-state.ts";
import type { IndexedImage } from "./image-index.ts";
import { ancestorsOf, parentsIn } from "./parents.ts";
import type { Reason } from "./reason.ts";
import { type JudgedName, type NameDecision, type RetentionInput, retainCriNames } from "./retention.ts";

/** True for a node with a Docker Engine: names follow its rules, whatever its image store (spec: delete, sections 3 and 8). */
export function followsDocker({ runtime }: Pick<NodeState, "runtime">): boolean {
  return runtime.imageStore !== undefined;
}

/**
 * As for names that CRI manages, digest references live with the tags of their repository and the last readable name of an image
 * that stays is a tag, if it has one. The engine also removes digest references along with the last tag of their repository,
 * whoever needs them: so that tag stays with a digest reference that is needed.
 */
export function retainDockerNames({ names, imageUses }: RetentionInput): readonly NameDecision[] {
  const judged = names.map((name) => ({
    ...name,
    reasons: name.reasons.length > 0 ? name.reasons : anchored(name, names),
  }));
  return retainCriNames({ names: judged, imageUses });
}

/** The last tag of a repository whose digest reference is needed while none of its tags is. */
function anchored(name: JudgedName, names: readonly JudgedName[]): readonly Reason[] {
  if (name.kind !== "tag" || name.repository === undefined) return [];
  const ofRepository = names.filter(({ repository }) => repository === name.repository);
  const tags = ofRepository.filter(({ kind }) => kind === "tag");
  if (tags.at(-1) !== name || tags.some(({ reasons }) => reasons.length > 0)) return [];
  const needed = ofRepository.find(({ kind, reasons }) => kind === "digest-reference" && reasons.length > 0);
  if (needed === undefined) return [];
  return [
    { code: "companion-of-digest", detail: `${needed.name.name} stays, and the engine removes it with its last tag` },
  ];
}

/**
 * The decisions of all images of an engine, with the names of an image kept as long as one that was built on it stays: the engine would
 * take the names away and keep the image, which frees nothing.
 */
export function keepParents(
  images: readonly IndexedImage[],
  decisions: readonly (readonly NameDecision[])[],
  namespaces: readonly Pick<NamespaceState, "images">[],
): readonly (readonly NameDecision[])[] {
  const parents = parentsIn(namespaces);
  const children = new Map<Digest, string>();
  images.forEach(({ image }, i) => {
    const staying = decisions[i]?.find(stays);
    if (staying === undefined) return;
    for (const target of ancestorsOf(image.target, parents)) {
      if (!children.has(target)) children.set(target, staying.name.name);
    }
  });
  return images.map(({ image }, i) => {
    const names = decisions[i] ?? [];
    const child = children.get(image.target);
    return child === undefined || names.some(stays) ? names : names.map((decision) => spared(decision, child));
  });
}

/** A dangling parent may go: on graph drivers it has no name as long as it has children, elsewhere they do without it. */
function spared(decision: NameDecision, child: string): NameDecision {
  const { name, kind } = decision;
  if (kind === "dangling") return decision;
  return { name, kind, keep: [{ code: "parent-of-image", detail: `${child} was built on it and stays` }] };
}

function stays({ remove }: NameDecision): boolean {
  return remove === undefined;
}
