// What kind of name a stored name is. Decided once per name; record names are free text and may be anything.
import { isDigest } from "../image/digest.ts";
import { danglingPrefix, isIdName } from "../image/image-id.ts";
import { repositoryOf, tryParseReference } from "../image/reference.ts";
import { remembered } from "./remembered.ts";

/**
 * - `tag`: `repo:tag` (or `repo:tag@digest`, or a name without either);
 * - `digest-reference`: `repo@digest`;
 * - `id`: `sha256:<config digest>`, the ID name that containerd's CRI plugin keeps;
 * - `dangling`: `moby-dangling@<digest>`;
 * - `other`: text that is no reference.
 */
export type NameKind = "tag" | "digest-reference" | "id" | "dangling" | "other";

export interface ClassifiedName {
  readonly kind: NameKind;
  /** Registry and path; undefined for kinds that have none. */
  readonly repository?: string;
}

/** Classifies a name as the runtime stores it. The same names are judged round after round, and to read them is a quarter of deciding. */
export const classifyName = remembered(50_000, classify);

function classify(name: string): ClassifiedName {
  if (isIdName(name)) return { kind: "id" };
  if (name.startsWith(danglingPrefix) && isDigest(name.slice(danglingPrefix.length))) return { kind: "dangling" };
  const reference = tryParseReference(name);
  if (reference === undefined) return { kind: "other" };
  const repository = repositoryOf(reference);
  const kind = reference.digest !== undefined && reference.tag === undefined ? "digest-reference" : "tag";
  return { kind, repository };
}
