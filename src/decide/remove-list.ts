// Which names of an image the remove list means.
import type { Image } from "../image/node-state.ts";
import type { ImagePattern } from "./image-pattern.ts";
import type { NameKind } from "./name-kind.ts";

/** A name with what kind of name it is. */
export interface KindOfName {
  readonly name: string;
  readonly kind: NameKind;
  readonly repository: string | undefined;
}

const nothing: ReadonlySet<string> = new Set();

/**
 * The names that a pattern matches, or all names when one matches the image. A digest reference is meant along with all tags
 * of its repository, and the ID name along with all other names: nobody writes those into a list.
 */
export function listedNames(
  patterns: readonly ImagePattern[],
  image: Image,
  names: readonly KindOfName[],
): ReadonlySet<string> {
  if (patterns.length === 0) return nothing;
  if (patterns.some((pattern) => pattern.matchesImage(image))) return new Set(names.map(({ name }) => name));
  const listed = new Set<string>();
  for (const { name } of names) if (patterns.some((pattern) => pattern.matchesName(name))) listed.add(name);
  if (listed.size === 0) return nothing;
  const goes = (others: readonly KindOfName[]): boolean =>
    others.length > 0 && others.every(({ name }) => listed.has(name));
  for (const { name, repository } of names.filter(({ kind }) => kind === "digest-reference")) {
    if (goes(names.filter((other) => other.kind === "tag" && other.repository === repository))) listed.add(name);
  }
  const rest = names.filter(({ kind }) => kind !== "id");
  if (goes(rest)) for (const { name } of names) listed.add(name);
  return listed;
}
