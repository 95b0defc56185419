// Which image a person means: the records of one target, and the record that was named exactly, if one was.
import type { Digest } from "../image/digest.ts";
import { parseAny, shortIdHex } from "../image/image-id.ts";
import {
  familiarName,
  formatReference,
  InvalidReferenceError,
  type Reference,
  withDefaultTag,
} from "../image/reference.ts";
import { type RefusedRemoval, type RemovalRecord, refusal } from "./removal-types.ts";

/** The image that is meant. */
export interface ResolvedImage {
  readonly kind: "image";
  readonly target: Digest;
  /** Every record of the target, in the order of the list that was given. Never empty. */
  readonly all: readonly RemovalRecord[];
  /** The record whose name was given, in contrast to one that shares its content. */
  readonly exact?: RemovalRecord;
}

type Meaning = ReturnType<typeof parseAny>;

/** Resolves `ref` for a removal. In contrast to a lookup for use, a name and an ID prefix weigh the same. */
export function resolveForRemoval(records: readonly RemovalRecord[], ref: string): ResolvedImage | RefusedRemoval {
  if (ref.trim() === "") return refusal(400, "image name cannot be blank");
  const meaning = readMeaning(ref);
  if (typeof meaning === "string") return refusal(400, meaning);
  const hex = shortIdHex(ref);
  if (meaning.kind === "id") {
    return hex === undefined ? refusal(400, "invalid name reference") : byFullId(records, meaning.digest);
  }
  return hex === undefined
    ? byName(records, meaning.reference)
    : byNameOrPrefix(records, meaning.reference, `sha256:${hex}`);
}

/** The answer when nothing was found: the name as people write it, with the tag that was looked for. */
export function noSuchImage(ref: Reference): RefusedRemoval {
  return refusal(404, `No such image: ${familiarName(withDefaultTag(ref))}`);
}

function readMeaning(ref: string): Meaning | string {
  try {
    return parseAny(ref);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return error.message;
    throw error;
  }
}

/**
 * A record may bear the ID as its name (containerd's CRI plugin keeps one per image ID): it wins over the target, and the
 * target wins over the other digests of an image.
 */
function byFullId(records: readonly RemovalRecord[], id: Digest): ResolvedImage | RefusedRemoval {
  const exact = records.find((record) => record.name === id);
  const resolved = imageOf(records, exact?.target ?? id, exact);
  return resolved ?? onlyImageOf(records, (record) => record.digests?.includes(id)) ?? noImageWithId(id);
}

function noImageWithId(id: Digest): RefusedRemoval {
  return refusal(404, `No such image: ${id}`);
}

function byNameOrPrefix(
  records: readonly RemovalRecord[],
  reference: Reference,
  prefix: string,
): ResolvedImage | RefusedRemoval {
  const name = formatReference(withDefaultTag(reference));
  const begins = ({ target, digests = [] }: RemovalRecord) =>
    target.startsWith(prefix) || digests.some((digest) => digest.startsWith(prefix));
  return onlyImageOf(records, (record) => record.name === name || begins(record), name) ?? noSuchImage(reference);
}

/** The one image that the records accepted by `means` belong to; undefined when none is accepted. */
function onlyImageOf(
  records: readonly RemovalRecord[],
  means: (record: RemovalRecord) => boolean | undefined,
  name?: string,
): ResolvedImage | RefusedRemoval | undefined {
  const matches = records.filter(means);
  const [first] = matches;
  if (first === undefined) return undefined;
  if (matches.some((record) => record.target !== first.target)) {
    return refusal(404, "ambiguous reference", { candidates: matches.map((record) => record.name) });
  }
  return imageOf(
    records,
    first.target,
    matches.find((record) => record.name === name),
  );
}

function byName(records: readonly RemovalRecord[], reference: Reference): ResolvedImage | RefusedRemoval {
  const name = formatReference(withDefaultTag(reference));
  const exact = records.find((record) => record.name === name);
  const target = exact?.target ?? reference.digest;
  const resolved = target === undefined ? undefined : imageOf(records, target, exact);
  return resolved ?? noSuchImage(reference);
}

function imageOf(
  records: readonly RemovalRecord[],
  target: Digest,
  exact: RemovalRecord | undefined,
): ResolvedImage | undefined {
  const all = records.filter((record) => record.target === target);
  if (all.length === 0) return undefined;
  return { kind: "image", target, all, ...(exact === undefined ? {} : { exact }) };
}
