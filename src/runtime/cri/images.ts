// From CRI's list of images to names and images. Pure.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { Image, ImageName } from "../../image/node-state.ts";
import type { Image as CriImage } from "./gen/runtime/v1/api_pb.js";
import type { ImageFacts } from "./image-facts.ts";
import { digestIn } from "./use.ts";

/** One image of CRI's list. */
export interface ListedImage {
  /** The ID exactly as it was listed: CRI-O leaves `sha256:` out. Removals use this and nothing else. */
  readonly listedId: string;
  readonly id: Digest;
  /** Tags and digest references, or the ID where there is neither. */
  readonly names: readonly string[];
  /** The ID and every digest that a name mentions. */
  readonly digests: readonly Digest[];
  /** Bytes as the runtime counts them, with layers that other images share. */
  readonly size: number;
  readonly pinned: boolean;
}

/**
 * Reads the list. An image is listed once for each runtime handler it was pulled for: it is one image here. Entries whose ID is no
 * whole digest are left out: nothing could be removed by such an ID without guessing.
 */
export function readImageList(list: readonly CriImage[]): readonly ListedImage[] {
  const images = new Map<Digest, ListedImage>();
  for (const listed of list) {
    const id = toDigest(listed.id) ?? toDigest(`sha256:${listed.id}`);
    if (id === undefined) continue;
    const known = images.get(id);
    const read = readImage(listed, id);
    images.set(id, known === undefined ? read : joined(known, read));
  }
  return [...images.values()].map(named);
}

/** The image in the words of the port. Its one blob stands for all it holds: CRI tells neither layers nor what is shared. */
export function toImage({ id, digests, size, pinned }: ListedImage, facts: ImageFacts | undefined): Image {
  return { target: id, id, digests, pinned, blobs: [{ digest: id, size }], snapshots: [], ...facts };
}

export function toNames({ id, names }: ListedImage): readonly ImageName[] {
  return names.map((name) => ({ name, target: id, labels: {} }));
}

function readImage({ id: listedId, repoTags, repoDigests, size, pinned }: CriImage, id: Digest): ListedImage {
  const names = [...new Set([...repoTags, ...repoDigests])].filter(isName);
  const digests = [...new Set([id, ...repoDigests.flatMap((text) => digestIn(text) ?? [])])];
  return { listedId, id, names, digests, size: Number(size), pinned };
}

/** Some runtimes write `<none>:<none>` where there is no name. */
function isName(text: string): boolean {
  return text !== "" && !text.includes("<none>");
}

function joined(a: ListedImage, b: ListedImage): ListedImage {
  return {
    ...a,
    names: [...new Set([...a.names, ...b.names])],
    digests: [...new Set([...a.digests, ...b.digests])],
    size: Math.max(a.size, b.size),
    pinned: a.pinned || b.pinned,
  };
}

/** An image that has no name is known by its ID alone. */
function named(image: ListedImage): ListedImage {
  return image.names.length > 0 ? image : { ...image, names: [image.id] };
}
