// What kind of name a stored name is. Decided once per name; record names are free text and may be anything.
import { isDigest } from "../image/digest.ts";
import { danglingPrefix, isDanglingName, isIdName } from "../image/image-id.ts";
import type { ImageName } from "../image/node-state.ts";
import { repositoryOf, tryParseReference } from "../image/reference.ts";
import { remembered } from "./remembered.ts";

/**
 * - `tag`: `repo:tag` (or `repo:tag@digest`, or a name without either);
 * - `digest-reference`: `repo@digest`;
 * - `id`: `sha256:<config digest>`, the ID name that containerd's CRI plugin keeps;
 * - `dangling`: `moby-dangling@<digest>` of the digest that it points to; of another one it is a digest reference;
 * - `other`: text that is no reference.
 */
export type NameKind = "tag" | "digest-reference" | "id" | "dangling" | "other";

export interface ClassifiedName {
  readonly kind: NameKind;
  /** Registry and path; undefined for kinds that have none. */
  readonly repository?: string;
}

/** Classifies a name by what it points to as well (spec: prune, section 1). */
export function classifyName({ name, target }: Pick<ImageName, "name" | "target">): ClassifiedName {
  const classified = classifyText(name);
  if (classified.kind !== "dangling" || isDanglingName(name, target)) return classified;
  return { kind: "digest-reference", repository: danglingRepository };
}

const danglingRepository = "docker.io/library/moby-dangling";

/** Classifies the text of a stored name. The same names are judged round after round, and to read them is a quarter of deciding. */
export const classifyText = remembered(50_000, classify);

function classify(name: string): ClassifiedName {
  if (isIdName(name)) return { kind: "id" };
  if (name.startsWith(danglingPrefix) && isDigest(name.slice(danglingPrefix.length))) return { kind: "dangling" };
  const reference = tryParseReference(name);
  if (reference === undefined) return { kind: "other" };
  const repository = repositoryOf(reference);
  const kind = reference.digest !== undefined && reference.tag === undefined ? "digest-reference" : "tag";
  return { kind, repository };
}
