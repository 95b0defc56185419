// What to say when a reference means no image of the node: what is nearest to it, or where to look.
import type { ImageSearch } from "../decide/find-image.ts";
import type { NodeState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { familiarName, repositoryOf, tryParseReference } from "../image/reference.ts";
import { explainInvalid } from "../report/invalid-reference.ts";

/** Tags of the same repository are named up to this many. */
const mostTags = 5;

/** One line for a reference that was not found. `reference` is as it was typed. */
export function explainMissing(
  search: Exclude<ImageSearch, { kind: "found" }>,
  reference: string,
  state: Pick<NodeState, "namespaces">,
): string {
  if (search.kind === "not-found") return `${search.message}; ${mendFor(reference, state)}`;
  return search.kind === "invalid" ? explainInvalid(search.message, reference) : search.message;
}

function mendFor(reference: string, state: Pick<NodeState, "namespaces">): string {
  const tags = tagsBeside(reference, state);
  if (tags.length > 0) return `of this repository there is ${listed(tags)}`;
  if (/^(sha256:)?[0-9a-f]{1,3}$/.test(reference)) return "of an image ID at least four digits are needed";
  return "`prunelet images` lists those there are";
}

/** The tags that the repository of a reference has on this node. */
function tagsBeside(text: string, { namespaces }: Pick<NodeState, "namespaces">): readonly string[] {
  const asked = tryParseReference(text);
  if (asked === undefined) return [];
  const repository = repositoryOf(asked);
  const tags = namespaces.flatMap(({ names }) =>
    names.flatMap(({ name }) => {
      const reference = tryParseReference(name);
      return reference?.tag !== undefined && repositoryOf(reference) === repository ? [familiarName(reference)] : [];
    }),
  );
  return [...new Set(tags)].toSorted(compareBytes);
}

function listed(tags: readonly string[]): string {
  const more = tags.length - mostTags;
  return `${tags.slice(0, mostTags).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
