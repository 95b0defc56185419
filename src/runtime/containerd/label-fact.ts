// What the labels of a blob already tell, so that most manifests and indexes need not be read. Pure.
import { toDigest } from "../../image/digest.ts";
import type { ContentFact } from "./content-facts.ts";
import type { Inventory } from "./inventory.ts";

/**
 * A pull labels every manifest with its config and every index with its manifests. An index of which a single manifest is here
 * leaves nothing to choose. Undefined when the labels do not tell: then the blob has to be read.
 */
export function factFromLabels(inventory: Inventory, digest: string): ContentFact | undefined {
  const references = inventory.blobs.get(digest)?.references;
  if (!references) return undefined;
  const config = toDigest(references.config ?? "");
  if (config) return { kind: "manifest", config };
  const present = references.blobs.flatMap((child) => inventory.blobs.get(child) ?? []);
  const [only] = present;
  if (present.length !== 1 || !only?.references.config) return undefined;
  return { kind: "index", entries: [{ digest: only.blob.digest, attestation: false }] };
}
