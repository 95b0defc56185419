// Which image a person means who wants to look at it. Pure. Removals resolve in another way: see removal-resolve.ts.
import { parseAny, shortIdHex } from "../image/image-id.ts";
import type { NodeState } from "../image/node-state.ts";
import {
  familiarName,
  formatReference,
  InvalidReferenceError,
  type Reference,
  repositoryOf,
  tryParseReference,
  withDefaultTag,
} from "../image/reference.ts";
import { stripRuntimeScheme } from "../image/runtime-spelling.ts";
import { type ImageIndex, type IndexedImage, indexImages } from "./image-index.ts";

/** An image and the namespace that holds it. */
export interface FoundImage {
  readonly namespace: string;
  readonly entry: IndexedImage;
}

export type ImageSearch =
  | { readonly kind: "found"; readonly images: readonly FoundImage[] }
  | { readonly kind: "not-found" | "invalid" | "ambiguous"; readonly message: string };

/** Finds images of a node by name, digest, image ID or the beginning of one. The same image may be in several namespaces. */
export type ImageFinder = (text: string) => ImageSearch;

/**
 * Looks images up as Docker does for use (spec: references, section 5.2): a name wins over a shortened ID, a whole digest
 * means the image that has it as index, manifest or config, and a digest behind a repository counts for that repository only.
 */
export function createImageFinder(state: Pick<NodeState, "namespaces">): ImageFinder {
  const indexes = state.namespaces.map((namespace) => ({
    namespace: namespace.name,
    index: toLookupIndex(namespace),
  }));
  const inEach = (find: (index: LookupIndex) => readonly (IndexedImage | undefined)[]): FoundImage[] =>
    indexes.flatMap(({ namespace, index }) =>
      [...new Set(find(index))].flatMap((entry) => (entry === undefined ? [] : [{ namespace, entry }])),
    );
  return (text) => search(text, inEach);
}

interface LookupIndex {
  readonly named: ImageIndex;
  /** Every image, those without any name included. */
  readonly all: readonly IndexedImage[];
}

type InEach = (find: (index: LookupIndex) => readonly (IndexedImage | undefined)[]) => FoundImage[];

function search(text: string, inEach: InEach): ImageSearch {
  if (text.trim() === "") return { kind: "invalid", message: "image name cannot be blank" };
  const stored = inEach(({ named }) => [byName(named, text)]);
  if (stored.length > 0) return { kind: "found", images: stored };
  const meaning = readMeaning(stripRuntimeScheme(text));
  if (typeof meaning === "string") return { kind: "invalid", message: meaning };
  if (meaning.kind === "id") {
    const { digest } = meaning;
    const images = inEach((index) => index.all.filter(({ image }) => image.digests.includes(digest)));
    return images.length > 0 ? { kind: "found", images } : notFound(text);
  }
  const named = inEach((index) => byReference(index, meaning.reference));
  if (named.length > 0) return { kind: "found", images: named };
  const hex = shortIdHex(text);
  const missing = notFound(familiarName(withDefaultTag(meaning.reference)));
  return hex === undefined ? missing : byPrefix(text, hex, inEach, missing);
}

function byPrefix(text: string, hex: string, inEach: InEach, missing: ImageSearch): ImageSearch {
  const images = inEach((index) =>
    index.all.filter(({ image }) => image.digests.some((digest) => digest.startsWith(`sha256:${hex}`))),
  );
  if (images.length === 0) return missing;
  const byId = new Map(images.map(({ entry }) => [entry.image.id, entry]));
  if (byId.size === 1) return { kind: "found", images };
  const candidates = [...byId.values()].map(({ image, names }) => `${image.id} (${names[0]?.name ?? "no name"})`);
  const message = `ambiguous reference: ${text} may mean ${candidates.join(" or ")}; write more digits`;
  return { kind: "ambiguous", message };
}

function byName(index: ImageIndex, name: string): IndexedImage | undefined {
  const target = index.nameOf(name)?.target;
  return target === undefined ? undefined : index.byTarget.get(target);
}

function byReference(index: LookupIndex, reference: Reference): readonly (IndexedImage | undefined)[] {
  const { digest } = reference;
  if (digest === undefined) return [byName(index.named, formatReference(withDefaultTag(reference)))];
  const repository = repositoryOf(reference);
  return index.all.filter(({ image, names }) => {
    return image.digests.includes(digest) && names.some(({ name }) => repositoryOfName(name) === repository);
  });
}

function repositoryOfName(name: string): string | undefined {
  const reference = tryParseReference(name);
  return reference === undefined ? undefined : repositoryOf(reference);
}

function readMeaning(text: string): ReturnType<typeof parseAny> | string {
  try {
    return parseAny(text);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return error.message;
    throw error;
  }
}

function notFound(shown: string): ImageSearch {
  return { kind: "not-found", message: `No such image: ${shown}` };
}

function toLookupIndex(namespace: NodeState["namespaces"][number]): LookupIndex {
  const named = indexImages(namespace);
  const nameless = namespace.images.filter(({ target }) => !named.byTarget.has(target));
  return { named, all: [...named.images, ...nameless.map((image) => ({ image, names: [] }))] };
}
