// The images of a node as `docker images` shows them: one row a tag, digest-only images and dangling ones included.
import { type IndexedImage, indexImages } from "../decide/image-index.ts";
import { measureReclaim } from "../decide/reclaim.ts";
import type { Digest } from "../image/digest.ts";
import { familiarRepository } from "../image/familiar-repository.ts";
import { isIdName } from "../image/image-id.ts";
import type { Image, NamespaceState, NodeState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import { type Reference, tryParseReference, withDefaultTag } from "../image/reference.ts";

/** One row: a reference to an image, or the image itself where it has none. `<none>` stands for what is not there. */
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
  /** Bytes of it that something else needs, too. */
  readonly sharedSize: number;
  /** Bytes that removing this image alone would free. */
  readonly uniqueSize: number;
  readonly pinned: boolean;
  readonly platform: string | null;
  readonly labels: Readonly<Record<string, string>> | null;
}

/** What a row is about, for filters. */
export interface ImageRowSource {
  readonly row: ImageRow;
  readonly image: Image;
  /** The reference of this row; undefined for a dangling image. */
  readonly reference: Reference | undefined;
}

const none = "<none>";

/**
 * All rows, sorted by namespace, repository, tag and digest. With `everyReference` a digest reference has a row of its own
 * even beside a tag; without, only where its repository has no tag on the image.
 */
export function imageRows(
  state: Pick<NodeState, "namespaces" | "foreignBlobs">,
  { everyReference = false }: { readonly everyReference?: boolean } = {},
): ImageRowSource[] {
  const all = state.namespaces.flatMap((namespace) =>
    entriesOf(namespace).map((entry) => ({ namespace: namespace.name, entry })),
  );
  const holders = all.map(({ namespace, entry }) => ({ namespace, image: entry.image }));
  const reclaim = measureReclaim({ ...emptyState, ...state }, holders);
  const rows = all.flatMap(({ namespace, entry }) => {
    const uniqueSize = reclaim.alone(namespace, entry.image);
    return rowsOf({ namespace, entry, uniqueSize, everyReference });
  });
  return rows.sort(({ row: a }, { row: b }) => compareRows(a, b));
}

const emptyState = { takenAt: 0, runtime: { kind: "embedded", version: "" }, pods: null } as const;

/** Every image, also one without any name. */
function entriesOf(namespace: NamespaceState): IndexedImage[] {
  const { images, byTarget } = indexImages(namespace);
  const nameless = namespace.images.filter(({ target }) => !byTarget.has(target));
  return [...images, ...nameless.map((image) => ({ image, names: [] }))];
}

function compareRows(a: ImageRow, b: ImageRow): number {
  return (
    compareBytes(a.namespace, b.namespace) ||
    compareBytes(a.repository, b.repository) ||
    compareBytes(a.tag, b.tag) ||
    compareBytes(a.digest, b.digest) ||
    compareBytes(a.target, b.target)
  );
}

interface RowsInput {
  readonly namespace: string;
  readonly entry: IndexedImage;
  readonly uniqueSize: number;
  readonly everyReference: boolean;
}

function rowsOf({ namespace, entry: { image, names }, uniqueSize, everyReference }: RowsInput): ImageRowSource[] {
  const size = sizeOf(image);
  const base = {
    namespace,
    id: image.id,
    target: image.target,
    createdAt: image.createdAt === undefined ? null : new Date(image.createdAt).toISOString(),
    size,
    sharedSize: size - uniqueSize,
    uniqueSize,
    pinned: image.pinned,
    platform: image.platform ?? null,
    labels: image.labels ?? null,
  };
  const read = names.flatMap(({ name }) => readReference(name));
  const tagged = new Set(
    read.flatMap(({ reference, repository }) => (reference.tag === undefined ? [] : [repository])),
  );
  const shown = read.filter(({ reference, repository }) => {
    return everyReference || reference.tag !== undefined || !tagged.has(repository);
  });
  if (shown.length === 0) {
    return [{ row: { ...base, repository: none, tag: none, digest: none, name: "" }, image, reference: undefined }];
  }
  return shown.map(({ name, reference, repository }) => {
    // Docker shows the digest that a tag points to, too: with it the image can be pulled as it is here.
    const digest = reference.digest ?? image.target;
    return { row: { ...base, repository, tag: reference.tag ?? none, digest, name }, image, reference };
  });
}

function readReference(name: string): { name: string; reference: Reference; repository: string }[] {
  if (isIdName(name) || name.startsWith("moby-dangling@")) return [];
  const parsed = tryParseReference(name);
  if (parsed === undefined) return [];
  // `ctr` stores names without tag and digest, too: everybody reads them as latest.
  const reference = withDefaultTag(parsed);
  return [{ name, reference, repository: familiarRepository(reference) }];
}

/** Bytes of everything that the runtime keeps for an image. */
export function sizeOf(image: Image): number {
  return [...image.blobs, ...image.snapshots].reduce((sum, { size }) => sum + size, 0);
}
