// Parents and children of images: what a build leaves behind, linked by a label of the record.
import { type Digest, toDigest } from "../image/digest.ts";
import type { RemovalRecord } from "./removal-types.ts";

const parentLabel = "org.mobyproject.image.parent";

/** True when some record names `target` as its parent. */
export function hasChildren(records: readonly RemovalRecord[], target: Digest): boolean {
  return records.some((record) => parentText(record) === target);
}

/**
 * The parents of an image, nearest first, each as its first record. A chain that cannot be followed to its end (a parent
 * that is not there, a label that is no digest, a circle) is no chain: then there are no parents to remove.
 */
export function parentChain(records: readonly RemovalRecord[], target: Digest): readonly RemovalRecord[] {
  const chain: RemovalRecord[] = [];
  const seen = new Set<string>([target]);
  let link = parentText(firstRecord(records, target));
  while (link !== undefined) {
    const parent = seen.has(link) ? undefined : firstRecord(records, toDigest(link));
    if (parent === undefined) return [];
    chain.push(parent);
    seen.add(link);
    link = parentText(parent);
  }
  return chain;
}

function firstRecord(records: readonly RemovalRecord[], target: Digest | undefined): RemovalRecord | undefined {
  return target === undefined ? undefined : records.find((record) => record.target === target);
}

function parentText(record: RemovalRecord | undefined): string | undefined {
  const text = record?.parent ?? record?.labels?.[parentLabel];
  return text === "" ? undefined : text;
}
