// The grammar of references: host, path, tag, digest. Every check is a single pass, so hostile input costs no more than good input.
import { type Digest, isDigest } from "./digest.ts";
import { InvalidReferenceError } from "./invalid-reference-error.ts";

/** The parts of a reference whose domain is known already. */
interface Parts {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The parts before anything is checked. */
interface RawParts {
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const maxPathLength = 255;

// Separators between runs of letters and digits are `.`, `_`, `__` and any number of `-`. What may not be is shorter to say
// than what may, and needs no nested repetition: a separator at the edge of a component, and separators that do not mix.
const pathAlphabet = /^[a-z0-9._\-/]+$/;
const brokenPath = /^[^a-z0-9]|[^a-z0-9]$|[^a-z0-9]\/|\/[^a-z0-9]|\.[._-]|_[.-]|-[._]|___/;

const hostAlphabet = /^[A-Za-z0-9.-]+$/;
const brokenHost = /^[.-]|[.-]$|\.[.-]|-\./;
const ipv6Literal = /^\[[0-9A-Fa-f:]+\]$/;
const portSuffix = /:[0-9]+$/;

const tagShape = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const algorithmShape = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*$/;
const encodedShape = /^[0-9A-Fa-f]{32,}$/;
const encodedLengths: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/**
 * Reads `domain/remainder` where `remainder` is a path, then an optional tag, then an optional digest.
 *
 * @throws InvalidReferenceError
 */
export function readReference(domain: string, remainder: string): Parts {
  const parts = splitRemainder(remainder);
  const location = locate(domain, parts.path);
  if (location === undefined || !hasShape(parts)) throw malformed(domain, remainder);
  if (location.path.length > maxPathLength) {
    throw new InvalidReferenceError(`repository name must not be more than ${maxPathLength} characters`);
  }
  return {
    ...location,
    ...(parts.tag === undefined ? {} : { tag: parts.tag }),
    ...(parts.digest === undefined ? {} : { digest: validDigest(parts.digest) }),
  };
}

/** A path holds neither `:` nor `@` and a tag holds no `@`, so the first of each is where the next part begins. */
function splitRemainder(remainder: string): RawParts {
  const at = remainder.indexOf("@");
  const name = at < 0 ? remainder : remainder.slice(0, at);
  const digest = at < 0 ? undefined : remainder.slice(at + 1);
  const colon = name.indexOf(":");
  if (colon < 0) return { path: name, tag: undefined, digest };
  return { path: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

function hasShape({ tag, digest }: RawParts): boolean {
  return (tag === undefined || tagShape.test(tag)) && (digest === undefined || hasDigestShape(digest));
}

function hasDigestShape(text: string): boolean {
  const colon = text.indexOf(":");
  return algorithmShape.test(text.slice(0, Math.max(colon, 0))) && encodedShape.test(text.slice(colon + 1));
}

/** Where the image lives; undefined when the text is no place at all. */
function locate(domain: string, path: string): { domain: string; path: string } | undefined {
  if (!isPath(path)) return undefined;
  if (isHost(domain)) return { domain, path };
  const whole = `${domain}/${path}`;
  return isPath(whole) ? { domain: "", path: whole } : undefined;
}

function isPath(text: string): boolean {
  return pathAlphabet.test(text) && !brokenPath.test(text);
}

function isHost(domain: string): boolean {
  const host = domain.replace(portSuffix, "");
  return ipv6Literal.test(host) || (hostAlphabet.test(host) && !brokenHost.test(host));
}

function validDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  const expected = encodedLengths.get(algorithm);
  if (expected === undefined) {
    const message =
      algorithm === algorithm.toLowerCase() ? "unsupported digest algorithm" : "invalid checksum digest format";
    throw new InvalidReferenceError(message);
  }
  const wrongLength = text.length - colon - 1 !== expected;
  throw new InvalidReferenceError(wrongLength ? "invalid checksum digest length" : "invalid checksum digest format");
}

function malformed(domain: string, remainder: string): InvalidReferenceError {
  const lowerRemainder = remainder.toLowerCase();
  const parts = splitRemainder(lowerRemainder);
  const onlyCase = locate(domain.toLowerCase(), parts.path) !== undefined && hasShape(parts);
  return new InvalidReferenceError(onlyCase ? "repository name must be lowercase" : "invalid reference format");
}
