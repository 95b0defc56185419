// How Kubernetes and the runtimes spell the images they use: URL-like schemes, IDs, names with digests.
import { type Digest, toDigest } from "./digest.ts";

const scheme = /^docker(?:-pullable)?:\/\//;
const bareHex = /^[0-9a-f]{64}$/;

/** Removes the `docker-pullable://` or `docker://` that dockershim and cri-dockerd put before an image ID. */
export function stripRuntimeScheme(text: string): string {
  return text.replace(scheme, "");
}

/**
 * Every complete digest that a spelling mentions, in the order of the text: 64 hexadecimal digits, `sha256:<hex>`,
 * `repo@digest`, `repo:tag@digest`, each with or without a runtime's scheme. Works on text that is no valid reference, too.
 */
export function digestsIn(text: string): readonly Digest[] {
  const spelling = stripRuntimeScheme(text);
  if (bareHex.test(spelling)) return digestsOf([`sha256:${spelling}`]);
  return digestsOf(spelling.split("@"));
}

function digestsOf(candidates: readonly string[]): Digest[] {
  return candidates.map(toDigest).filter((digest) => digest !== undefined);
}
