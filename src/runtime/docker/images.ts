// Reads the images: what the engine lists, in the words of the port.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { DigestKind, Image, ImageName, Instant, LayerSnapshot, NamespaceState } from "../../image/node-state.ts";
import { tryParseReference } from "../../image/reference.ts";
import { mapBounded } from "../bounded.ts";
import type { CallOptions, ObserveOptions } from "../runtime.ts";
import type { Engine, EngineFacts } from "./engine.ts";
import { inPath, namesOf, standInName } from "./names.ts";
import { type ImageSummary, imageDetail, imageList } from "./schema.ts";
import { isAtLeast } from "./version.ts";

export type SeenImages = Pick<NamespaceState, "names" | "images" | "held">;

const asksAtATime = 12;

/** When the names of an image were last written, remembered until they change. */
export type RecordTimes = Map<Digest, { readonly names: string; readonly at: Instant | undefined }>;

/** Every image with its names, made of what the engine listed. */
export async function readImages(
  engine: Engine,
  facts: EngineFacts,
  { listed, times }: { readonly listed: readonly ImageSummary[]; readonly times: RecordTimes },
  options: ObserveOptions = {},
): Promise<SeenImages> {
  const parents = new Set(listed.flatMap(({ ParentId }) => ParentId ?? []));
  if (options.recordTimes !== false && facts.imageStore === "containerd")
    await readRecordTimes(engine, listed, times, options);
  const layers = listed.map((image) => layersOf(image, facts.driver));
  return {
    names: listed.flatMap((image) => {
      const at = times.get(image.Id)?.at;
      const createdAt = at === undefined ? {} : { createdAt: at };
      return storedNames(image, facts, parents).map(
        (name): ImageName => ({ name, target: image.Id, ...createdAt, labels: {} }),
      );
    }),
    images: listed.map((image, i) => toImage(image, facts, layers[i]?.all ?? [])),
    held: { blobs: [], snapshots: layers.flatMap(({ shared }) => shared) },
  };
}

/** What a list is to tell besides names and sizes. Each costs the engine time. */
export interface Wanted {
  /** How much of an image others have as well (from API 1.42 on). */
  readonly sharing?: boolean;
  /** The platforms of an image (from API 1.47 on). */
  readonly platforms?: boolean;
}

/** The engine's list, with what it can tell of what is wanted. */
export function listImages(
  engine: Engine,
  { api }: EngineFacts,
  { sharing = false, platforms = false }: Wanted,
  options?: CallOptions,
): Promise<readonly ImageSummary[]> {
  const query = [
    "all=1",
    ...(sharing && isAtLeast(api, "1.42") ? ["shared-size=1"] : []),
    ...(platforms && isAtLeast(api, "1.47") ? ["manifests=1"] : []),
  ];
  const path = `/images/json?${query.join("&")}`;
  return engine.get(imageList, { operation: "list images", path, deadline: "list" }, options);
}

/**
 * What a graph driver keeps beneath other images without a name of its own goes with the last of them, and by nobody's wish:
 * it gets no name. Any other image without a name is dangling.
 */
function storedNames(image: ImageSummary, facts: EngineFacts, parents: ReadonlySet<Digest>): readonly string[] {
  const names = namesOf(image, facts.lists);
  if (names.length > 0) return names;
  const isBeneath = facts.imageStore === "graph-driver" && parents.has(image.Id);
  return isBeneath ? [] : [standInName(image.Id)];
}

/** The containerd image store tells when an image was last pulled or tagged, but only image by image. */
async function readRecordTimes(
  engine: Engine,
  listed: readonly ImageSummary[],
  times: RecordTimes,
  options?: CallOptions,
): Promise<void> {
  const keyOf = ({ RepoTags, RepoDigests }: ImageSummary) => JSON.stringify([RepoTags, RepoDigests]);
  const present = new Set(listed.map(({ Id }) => Id));
  for (const id of times.keys()) if (!present.has(id)) times.delete(id);
  const unknown = listed.filter((image) => times.get(image.Id)?.names !== keyOf(image));
  await mapBounded(unknown, asksAtATime, async (image) => {
    const call = { operation: "inspect image", path: `/images/${inPath(image.Id)}/json` };
    const detail = await engine.find(imageDetail, call, options);
    times.set(image.Id, { names: keyOf(image), at: detail?.Metadata?.LastTagTime });
  });
}

/**
 * The engine tells one size for an image, and how much of it others have as well. As layers of the port: one that is the
 * image's own, and one that is held by something else.
 */
function layersOf({ Id, Size, SharedSize }: ImageSummary, driver: string) {
  const size = Size ?? 0;
  const shared = Math.min(Math.max(SharedSize ?? 0, 0), size);
  const base: LayerSnapshot = { key: `${driver}/shared/${Id}`, size: shared };
  const own: LayerSnapshot = { key: `${driver}/${Id}`, size: size - shared };
  if (shared === 0) return { all: [own], shared: [] };
  return { all: [base, { ...own, parent: base.key }], shared: [base.key] };
}

function toImage(image: ImageSummary, facts: EngineFacts, snapshots: readonly LayerSnapshot[]): Image {
  const kinds = digestKinds(image, facts);
  const platform = platformOf(image);
  return {
    target: image.Id,
    id: image.Id,
    digests: [...kinds.keys()],
    ...(facts.imageStore === "containerd" && image.Descriptor ? { digestKinds: [...kinds.values()] } : {}),
    ...(platform === undefined ? {} : { platform }),
    labels: image.Labels ?? {},
    ...(image.Created ? { createdAt: image.Created * 1000 } : {}),
    pinned: false,
    ...(image.ParentId === undefined ? {} : { parent: image.ParentId }),
    blobs: [],
    snapshots,
  };
}

/**
 * Every digest that means the image. On a graph driver the ID is the config's digest and the digest references hold that of
 * the manifest or index; in the containerd image store the ID is what the names point to.
 */
function digestKinds(image: ImageSummary, { imageStore }: EngineFacts): ReadonlyMap<Digest, DigestKind> {
  const isIndex = /index|list/.test(image.Descriptor?.mediaType ?? "");
  const kinds = new Map<Digest, DigestKind>();
  kinds.set(image.Id, imageStore === "graph-driver" ? "config" : isIndex ? "index" : "manifest");
  const mentioned = [...image.RepoDigests, ...image.RepoTags].flatMap((name) => tryParseReference(name)?.digest ?? []);
  const children = (image.Manifests ?? []).flatMap(
    ({ ID, Kind, Available }) => (Kind === "image" && Available && ID) || [],
  );
  for (const digest of [...mentioned, ...children]) {
    if (!kinds.has(digest) && toDigest(digest) !== undefined) kinds.set(digest, "manifest");
  }
  return kinds;
}

function platformOf({ Manifests }: ImageSummary): string | undefined {
  const here = Manifests?.find(({ Kind, Available }) => Kind === "image" && Available === true);
  const { os, architecture } = here?.ImageData?.Platform ?? {};
  return os && architecture ? `${os}/${architecture}` : undefined;
}
