// The images of a node as `docker images` shows them: one row a tag, digest-only images and dangling ones included.

import { type IndexedImage, indexImages } from "../decide/image-index.ts";
import type { Digest } from "../image/digest.ts";
import { familiarRepository } from "../image/familiar-repository.ts";
import type { Image, NamespaceState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { type Reference, tryParseReference } from "../image/reference.ts";

/** One row: a tag of an image, or the image itself where it has none. `<none>` stands for what is not there. */
export interface ImageRow {
  readonly namespace: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly id: Digest;
  readonly target: Digest;
  /** The name as the runtime stores it; empty for an image that has neither tag nor digest reference. */
  readonly name: string;
  readonly createdAt: string | null;
  /** Bytes of everything that the runtime keeps for this image, shared content included. */
  readonly size: number;
  readonly pinned: boolean;
}

const none = "<none>";

/** All rows, sorted by namespace, repository and tag. */
export function imageRows(namespaces: readonly NamespaceState[]): ImageRow[] {
  const rows = namespaces.flatMap((namespace) =>
    indexImages(namespace).images.flatMap((entry) => rowsOf(namespace.name, entry)),
  );
  return rows.sort(
    (a, b) =>
      compareBytes(a.namespace, b.namespace) ||
      compareBytes(a.repository, b.repository) ||
      compareBytes(a.tag, b.tag) ||
      compareBytes(a.digest, b.digest) ||
      compareBytes(a.id, b.id),
  );
}

function rowsOf(namespace: string, { image, names }: IndexedImage): ImageRow[] {
  const base = { namespace, id: image.id, target: image.target, size: sizeOf(image), pinned: image.pinned };
  const createdAt = image.createdAt === undefined ? null : new Date(image.createdAt).toISOString();
  const row = (repository: string, tag: string, digest: string, name: string): ImageRow => {
    return { ...base, repository, tag, digest, name, createdAt };
  };
  const read = names.flatMap(({ name }) => {
    const reference = readable(name);
    return reference === undefined ? [] : [{ name, reference, repository: familiarRepository(reference) }];
  });
  const digests = new Map(
    read.flatMap(({ reference, repository }) => (reference.digest ? [[repository, reference.digest]] : [])),
  );
  const tags = read.filter(({ reference }) => reference.tag !== undefined);
  const tagged = new Set(tags.map(({ repository }) => repository));
  const rows = [
    ...tags.map(({ name, reference, repository }) =>
      row(repository, reference.tag ?? none, digests.get(repository) ?? none, name),
    ),
    ...read
      .filter(({ reference, repository }) => reference.tag === undefined && !tagged.has(repository))
      .map(({ name, reference, repository }) => row(repository, none, reference.digest ?? none, name)),
  ];
  return rows.length > 0 ? rows : [row(none, none, none, "")];
}

function readable(name: string): Reference | undefined {
  if (/^sha256:[0-9a-f]{64}$/.test(name) || name.startsWith("moby-dangling@")) return undefined;
  return tryParseReference(name);
}

/** Bytes of everything that the runtime keeps for an image. */
export function sizeOf(image: Image): number {
  return [...image.blobs, ...image.snapshots].reduce((sum, { size }) => sum + size, 0);
}
