// Image references: parse, normalise, show. Behaviour of distribution/reference v0.6 and of containerd's CRI plugin.
import type { Digest } from "./digest.ts";
import { type Reading, readParts } from "./reference-grammar.ts";

/** A parsed reference in full form: the domain is always there, `library/` is added for docker.io's official images. */
export interface Reference {
  /**
   * Registry host with its port, e.g. `registry.k8s.io` or `[fc00::1]:5000`. Empty in one odd case: text before the first
   * slash that looks like a host but holds an underscore (`foo_bar.com/x`) is read as a path. It names no registry.
   */
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** Thrown for text that is not an image reference. The message is the one that Docker and containerd give. */
export class InvalidReferenceError extends Error {
  override readonly name = "InvalidReferenceError";
}

const defaultDomain = "docker.io";
const legacyDefaultDomain = "index.docker.io";
const officialPrefix = "library/";
const defaultTag = "latest";

const fullHex = /^[0-9a-f]{64}$/;

/**
 * Reads a reference as people write it and gives its full form: `busybox` is `docker.io/library/busybox`. Adds no tag.
 *
 * @throws InvalidReferenceError with the text that Docker and containerd use.
 */
export function parseReference(text: string): Reference {
  const reading = read(text);
  if ("problem" in reading) throw new InvalidReferenceError(reading.problem);
  return reading;
}

/** Like `parseReference`, with undefined in place of the error. */
export function tryParseReference(text: string): Reference | undefined {
  const reading = read(text);
  return "problem" in reading ? undefined : reading;
}

/** The full form, as containerd stores it and CRI reports it: `docker.io/library/busybox:1`. */
export function formatReference(ref: Reference): string {
  return repositoryOf(ref) + suffixOf(ref);
}

/**
 * The short form that people read and Docker prints: without `docker.io/`, and without `library/` when nothing is nested
 * below it. Display only: a few names of docker.io do not survive the way back (`docker.io/foo.bar/x` shows as `foo.bar/x`).
 */
export function familiarName(ref: Reference): string {
  return familiarRepository(ref) + suffixOf(ref);
}

/** Adds `:latest` when the reference has neither tag nor digest. */
export function withDefaultTag(ref: Reference): Reference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: defaultTag } : ref;
}

/** The key under which containerd's CRI plugin looks an image up: full form, default tag, and no tag beside a digest. */
export function criLookupKey(ref: Reference): string {
  if (ref.digest !== undefined) return `${repositoryOf(ref)}@${ref.digest}`;
  return formatReference(withDefaultTag(ref));
}

/** True when `text` is a valid reference that is already in full form. */
export function isCanonical(text: string): boolean {
  const ref = tryParseReference(text);
  return ref !== undefined && formatReference(ref) === text;
}

/** Domain and path, without tag and digest: `docker.io/library/busybox`. */
export function repositoryOf(ref: Reference): string {
  return ref.domain === "" ? ref.path : `${ref.domain}/${ref.path}`;
}

function read(text: string): Reading {
  if (fullHex.test(text)) {
    return { problem: `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings` };
  }
  const { domain, remainder } = splitDomain(text);
  const repository = before(remainder, ":");
  if (repository.toLowerCase() !== repository) {
    return { problem: `invalid reference format: repository name (${repository}) must be lowercase` };
  }
  return readParts(domain, remainder);
}

function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf("/");
  const host = slash < 0 ? "" : text.slice(0, slash);
  if (!looksLikeHost(host)) return onDefaultDomain(text);
  const remainder = text.slice(slash + 1);
  return host === defaultDomain || host === legacyDefaultDomain
    ? onDefaultDomain(remainder)
    : { domain: host, remainder };
}

function looksLikeHost(text: string): boolean {
  return text === "localhost" || text.includes(".") || text.includes(":") || text.toLowerCase() !== text;
}

function onDefaultDomain(remainder: string): { domain: string; remainder: string } {
  return { domain: defaultDomain, remainder: remainder.includes("/") ? remainder : officialPrefix + remainder };
}

function familiarRepository(ref: Reference): string {
  if (ref.domain !== defaultDomain) return repositoryOf(ref);
  const nested = ref.path.indexOf("/", officialPrefix.length) >= 0;
  return ref.path.startsWith(officialPrefix) && !nested ? ref.path.slice(officialPrefix.length) : ref.path;
}

function suffixOf(ref: Reference): string {
  const tag = ref.tag === undefined ? "" : `:${ref.tag}`;
  const digest = ref.digest === undefined ? "" : `@${ref.digest}`;
  return tag + digest;
}

function before(text: string, separator: string): string {
  const at = text.indexOf(separator);
  return at < 0 ? text : text.slice(0, at);
}
