// Digests: the identity of content. Parsed once at the edge, compared as plain text everywhere else.

declare const digestBrand: unique symbol;

/** A validated content digest, `algorithm:hex`, e.g. `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly [digestBrand]: true };

/** Hexadecimal digits per registered algorithm (OCI image spec, "Registered algorithms"; sha384 as Go's digest library). */
const hexLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

const digestShape = /^([a-z0-9]+):([0-9a-f]+)$/;

/** True when `text` is a complete digest of a registered algorithm, in lower case. */
export function isDigest(text: string): text is Digest {
  const match = digestShape.exec(text);
  return match !== null && hexLengths[match[1] as string] === (match[2] as string).length;
}

/** The digest that `text` spells, or undefined. Accepts `sha256:<hex>` and the other registered algorithms, nothing else. */
export function toDigest(text: string): Digest | undefined {
  return isDigest(text) ? text : undefined;
}

/** The hexadecimal part of a digest, without the algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The first twelve hexadecimal digits: the form people read in tables and messages. */
export function shortHex(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}
