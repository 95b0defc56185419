// Digests that can be told apart at a glance: two hexadecimal digits, over and over.
import { type Digest, toDigest } from "../../src/image/digest.ts";

/** `digestOf("a1")` is `sha256:a1a1a1...`. */
export function digestOf(pair: string): Digest {
  const digest = toDigest(`sha256:${pair.repeat(32)}`);
  if (digest === undefined) throw new Error(`${pair} is no pair of lower-case hexadecimal digits`);
  return digest;
}
