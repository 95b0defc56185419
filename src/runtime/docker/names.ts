// The names of an image as prunelet compares them: references in full form, and one synthetic name for an image that has none.
import type { Digest } from "../../image/digest.ts";
import { danglingName } from "../../image/image-id.ts";
import { formatReference, type Reference, repositoryOf, tryParseReference } from "../../image/reference.ts";
import type { EngineFacts } from "./engine.ts";

/** What the engine lists of an image's names. */
export interface ListedNames {
  readonly Id: Digest;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
}

/** `busybox:1` as prunelet knows it: `docker.io/library/busybox:1`. Text that is no reference stays as it is. */
export function fullName(shown: string): string {
  const reference = tryParseReference(shown);
  return reference === undefined ? shown : formatReference(reference);
}

/**
 * The names that the engine stores, in full form. Where it lists records, a digest reference is one of them if it is there more often
 * than the tags of its repository make it up: Docker before 28 inspects with tags alone in `RepoTags`.
 */
export function namesOf({ RepoTags, RepoDigests }: ListedNames, lists: EngineFacts["lists"]): readonly string[] {
  const tags = RepoTags.map(fullName);
  const digests = RepoDigests.map(fullName);
  const isRecord = (name: string) => count(digests, name) > count(tags.map(repositoryIn), repositoryIn(name));
  return [...new Set([...tags, ...digests.filter((name) => lists === "names" || isRecord(name))])];
}

/** The name that stands for an image without any; the engine knows it by its ID only. */
export function standInName(id: Digest): string {
  return danglingName(id);
}

/** How the engine is asked for a name: an image without names by its ID. */
export function askFor(name: string): string {
  return name.startsWith("moby-dangling@") ? name.slice("moby-dangling@".length) : name;
}

/** A name as part of a path. Its slashes are the engine's own business. */
export function inPath(name: string): string {
  return encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}

/** Registry and path of a name; the name itself when it is no reference. */
export function repositoryIn(name: string): string {
  const reference = tryParseReference(name);
  return reference === undefined ? name : repositoryOf(reference);
}

/** The reference when `name` is a digest reference without a tag. */
export function digestReference(name: string): Reference | undefined {
  const reference = tryParseReference(name);
  return reference?.digest !== undefined && reference.tag === undefined ? reference : undefined;
}

function count(texts: readonly string[], wanted: string): number {
  return texts.filter((text) => text === wanted).length;
}
