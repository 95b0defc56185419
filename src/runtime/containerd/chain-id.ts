// Chain IDs: how a snapshotter names the result of stacking layers.
import { createHash } from "node:crypto";
import { type Digest, toDigest } from "../../image/digest.ts";

/**
 * The chain ID of the topmost layer, undefined when there is no layer. The first is the diff ID itself, each further one
 * the sha256 of the text `<chain ID below> <diff ID>` (OCI image spec, "Layer ChainID").
 */
export function topChainId(diffIds: readonly string[]): Digest | undefined {
  const top = diffIds.reduce((below, diffId) => (below === "" ? diffId : chain(below, diffId)), "");
  return toDigest(top);
}

function chain(below: string, diffId: string): string {
  return `sha256:${createHash("sha256").update(`${below} ${diffId}`).digest("hex")}`;
}
