// The grammar of references: host, path, tag, digest. Every check is a single pass, so hostile input costs no more than good input.
import { type Digest, isDigest } from "./digest.ts";

/** The parts of a reference, each of them valid. */
export interface ReferenceParts {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** What a text turned out to be: a reference, or what is wrong with it in the words of Docker and containerd. */
export type Reading = ReferenceParts | { readonly problem: string };

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

/** Reads `domain/remainder`, where `remainder` is a path, then an optional tag, then an optional digest. */
export function readParts(domain: string, remainder: string): Reading {
  const { path, tag, digest } = splitRemainder(remainder);
  const location = locate(domain, path);
  if (location === undefined || !hasShape({ tag, digest })) return { problem: shapeProblem(domain, remainder) };
  if (location.path.length > maxPathLength) {
    return { problem: `repository name must not be more than ${maxPathLength} characters` };
  }
  const tagged = tag === undefined ? location : { ...location, tag };
  if (digest === undefined) return tagged;
  return isDigest(digest) ? { ...tagged, digest } : { problem: digestProblem(digest) };
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

function hasShape({ tag, digest }: Omit<RawParts, "path">): boolean {
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

/** Why text of a digest's shape is no digest. The order follows Go's digest library: algorithm, length, alphabet. */
function digestProblem(text: string): string {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  const expected = encodedLengths.get(algorithm);
  if (expected === undefined) {
    return algorithm === algorithm.toLowerCase() ? "unsupported digest algorithm" : "invalid checksum digest format";
  }
  const length = text.length - colon - 1;
  return length === expected ? "invalid checksum digest format" : "invalid checksum digest length";
}

/** Text that fails the grammar only because of its case gets its own message. */
function shapeProblem(domain: string, remainder: string): string {
  const parts = splitRemainder(remainder.toLowerCase());
  const onlyCase = locate(domain.toLowerCase(), parts.path) !== undefined && hasShape(parts);
  return onlyCase ? "repository name must be lowercase" : "invalid reference format";
}
