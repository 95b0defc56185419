// Image IDs, shortened IDs and the record names that are not references: what a piece of text may mean besides a name.
import { type Digest, hexOf, toDigest } from "./digest.ts";
import { parseReference, type Reference } from "./reference.ts";

/** What a text means when both an image ID and a name are allowed. */
export type IdOrReference =
  | { readonly kind: "id"; readonly digest: Digest }
  | { readonly kind: "reference"; readonly reference: Reference };

const bareHex = /^[0-9a-f]{64}$/;
const idName = /^sha256:[0-9a-f]{64}$/;
const shortId = /^(?:sha256:)?([0-9a-f]{4,64})$/;
/** How the name of such a record begins: see `danglingName`. */
export const danglingPrefix = "moby-dangling@";

/**
 * Reads an image ID (64 hexadecimal digits or a complete digest) or else a reference. The ID comes first: as a name,
 * `sha256:<hex>` would be a repository called `sha256`.
 *
 * @throws InvalidReferenceError when the text is neither.
 */
export function parseAny(text: string): IdOrReference {
  const digest = bareHex.test(text) ? toDigest(`sha256:${text}`) : toDigest(text);
  return digest === undefined ? { kind: "reference", reference: parseReference(text) } : { kind: "id", digest };
}

/** The hexadecimal digits of a full or shortened image ID: 4 to 64 of them, with or without `sha256:`. Else undefined. */
export function shortIdHex(text: string): string | undefined {
  return shortId.exec(text)?.[1];
}

/**
 * True when `text` begins the digest, with or without its algorithm. Docker sets no minimum length here: the empty text
 * begins every digest. Callers that change things must refuse short input themselves.
 */
export function isIdPrefix(text: string, digest: Digest): boolean {
  return digest.startsWith(text) || hexOf(digest).startsWith(text);
}

/** True for the record that containerd's CRI plugin keeps for an image ID: `sha256:<config digest>`. */
export function isIdName(name: string): boolean {
  return idName.test(name);
}

/** The name of the record that keeps an image without any other name in Docker's containerd image store. */
export function danglingName(target: Digest): string {
  return danglingPrefix + target;
}

/** True when `name` is exactly the dangling record of `target`. Compared raw: parsing would change the name. */
export function isDanglingName(name: string, target: Digest): boolean {
  return name === danglingName(target);
}
