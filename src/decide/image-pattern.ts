// Patterns of the keep and remove lists: exact references, globs, regular expressions between slashes, digests, labels of images.
// Names are matched in full.
import { type Digest, isDigest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import {
  formatReference,
  InvalidReferenceError,
  parseReference,
  repositoryOf,
  withDefaultTag,
} from "../image/reference.ts";
import { matchesLabel, parseLabelFilter } from "./label-filter.ts";

/** What an entry of the keep or the remove list matches: single names, or images with all their names. */
export interface ImagePattern {
  /** The pattern as it was written. */
  readonly text: string;
  readonly matchesName: (name: string) => boolean;
  readonly matchesImage: (image: Image) => boolean;
  /** True when it asks for a label of the image's config. Whether it matches nobody can tell where the labels are not known. */
  readonly ofLabel: boolean;
}

/** Thrown for a pattern that cannot be understood. The message names the cause and the mend. */
export class InvalidPatternError extends Error {
  override readonly name = "InvalidPatternError";
}

/**
 * Parses a pattern:
 * - `label:key` or `label:key=value`: every image whose config has that label;
 * - `/regular expression/`, searched in the full name (`docker.io/library/nginx:1.27`);
 * - a digest, with or without `sha256:`: every image that has it as index, manifest or config;
 * - text with `*` (within a path component), `**` (across components) or `?`: a glob over the whole full name. The
 *   default registry and `library/` are added as for any reference, so `nginx:*` means `docker.io/library/nginx:*`;
 * - anything else is a reference: `nginx` means `docker.io/library/nginx:latest`.
 */
export function parsePattern(text: string): ImagePattern {
  if (text === "") throw new InvalidPatternError("an empty pattern matches nothing: remove it or write a reference");
  if (text.startsWith("label:")) return labelled(text);
  if (text.length > 1 && text.startsWith("/") && text.endsWith("/")) return regularExpression(text);
  const digest = /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
  if (isDigest(digest)) return wholeImage(text, digest);
  if (/[*?]/.test(text)) return glob(text);
  if (text.startsWith("sha256:")) {
    throw new InvalidPatternError(`pattern ${text} is no whole digest: write all 64 digits, as inspect shows them`);
  }
  return exactReference(text);
}

function regularExpression(text: string): ImagePattern {
  let expression: RegExp;
  try {
    expression = new RegExp(text.slice(1, -1), "u");
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new InvalidPatternError(`pattern ${text} is not a regular expression: ${cause}`);
  }
  return namePattern(text, (name) => expression.test(name));
}

function labelled(text: string): ImagePattern {
  const filter = parseLabelFilter(text.slice("label:".length), false);
  if (filter === undefined || filter.negated) {
    throw new InvalidPatternError(`pattern ${text} names no label: write label:key or label:key=value`);
  }
  const matchesImage = ({ labels }: Image): boolean => labels !== undefined && matchesLabel(filter, labels);
  return { text, matchesName: no, matchesImage, ofLabel: true };
}

const no = (): boolean => false;

function namePattern(text: string, matchesName: ImagePattern["matchesName"]): ImagePattern {
  return { text, matchesName, matchesImage: no, ofLabel: false };
}

function wholeImage(text: string, digest: Digest): ImagePattern {
  return { text, matchesName: no, matchesImage: (image) => image.digests.includes(digest), ofLabel: false };
}

function glob(text: string): ImagePattern {
  if (/\s/.test(text)) throw new InvalidPatternError(`pattern ${JSON.stringify(text)} holds a space, and no name does`);
  // A pattern whose first component is a wildcard may mean a registry or a repository: both readings protect.
  const expressions = [...new Set([text, withDefaultRegistry(text)])].map(globExpression);
  return namePattern(text, (name) => expressions.some((e) => e.test(name)));
}

function withDefaultRegistry(text: string): string {
  const slash = text.indexOf("/");
  if (slash < 0) return `docker.io/library/${text}`;
  const first = text.slice(0, slash);
  if (defaultRegistries.has(first)) return withDefaultPath(text.slice(slash + 1));
  const isRegistry = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  return isRegistry ? text : `docker.io/${text}`;
}

/** Both name the default registry, which names hold under the first of them (spec: references, 2). */
const defaultRegistries: ReadonlySet<string> = new Set(["docker.io", "index.docker.io"]);

function withDefaultPath(path: string): string {
  return path.includes("/") || path.startsWith("**") ? `docker.io/${path}` : `docker.io/library/${path}`;
}

function globExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "su");
}

function exactReference(text: string): ImagePattern {
  let full: Set<string>;
  let digest: Digest | undefined;
  try {
    const reference = withDefaultTag(parseReference(text));
    digest = reference.digest;
    full = new Set([formatReference(reference)]);
    if (digest !== undefined && reference.tag !== undefined) {
      full.add(`${repositoryOf(reference)}:${reference.tag}`).add(`${repositoryOf(reference)}@${digest}`);
    }
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    throw new InvalidPatternError(
      `pattern ${JSON.stringify(text)} is no image reference: ${error.message}; write a reference, a glob with *, or /a regular expression/`,
    );
  }
  return namePattern(text, (name) => name === text || full.has(name));
}
