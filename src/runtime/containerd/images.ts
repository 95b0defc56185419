// From records, facts and the graph to images: one per target. Pure.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { DigestKind, Image, ImageName, LayerSnapshot } from "../../image/node-state.ts";
import type { Platform } from "./content-facts.ts";
import { type References, referencesOf } from "./gc-labels.ts";
import { type FactLookup, type ImageIdentity, identify } from "./image-identity.ts";
import { type Inventory, type Reached, reach, type SnapshotNode } from "./inventory.ts";

const parentLabel = "org.mobyproject.image.parent";
const pinnedLabel = "io.cri-containerd.pinned";

/** An image before the sizes of its snapshots are known. */
export interface ImageDraft {
  readonly target: Digest;
  readonly names: readonly ImageName[];
  readonly identity: ImageIdentity;
  readonly reached: Reached;
  /** Chain IDs that a container of this image stands on. */
  readonly tops: readonly string[];
}

/** Groups the names by target and finds out what each target means and keeps alive. Ordered by target. */
export function draftImages(
  names: readonly ImageName[],
  inventory: Inventory,
  known: { readonly lookup: FactLookup; readonly host: Platform },
): readonly ImageDraft[] {
  const byTarget = Map.groupBy(names, (name) => name.target);
  const targets = [...byTarget.keys()].sort();
  return targets.map((target) => draft(target, byTarget.get(target) ?? [], inventory, known));
}

function draft(
  target: Digest,
  names: readonly ImageName[],
  inventory: Inventory,
  known: { readonly lookup: FactLookup; readonly host: Platform },
): ImageDraft {
  const reached = reach(inventory, rootsOf(target, names));
  const identity = withLabelledConfigs(identify(target, known.lookup, known.host), reached);
  const tops = new Set<string>(identity.tops);
  for (const node of reached.blobs)
    for (const key of node.references.snapshots) tops.add(key.slice(key.indexOf("/") + 1));
  return { target, names, identity, reached, tops: [...tops] };
}

function rootsOf(target: Digest, names: readonly ImageName[]): References {
  const ofNames = names.map((name) => referencesOf(name.labels));
  return {
    blobs: [target, ...ofNames.flatMap((references) => references.blobs)],
    snapshots: ofNames.flatMap((references) => references.snapshots),
  };
}

/** Labels name the config even when the manifest cannot be read: a use by image ID must find the image all the same. */
function withLabelledConfigs(identity: ImageIdentity, reached: Reached): ImageIdentity {
  const digests = new Set(identity.digests);
  for (const node of reached.blobs) {
    const config = toDigest(node.references.config ?? "");
    if (config) digests.add(config);
  }
  if (digests.size === identity.digests.length) return identity;
  const kinds = identity.kinds.concat(Array(digests.size - identity.digests.length).fill("config"));
  return { ...identity, digests: [...digests], kinds: identity.kinds.length === 0 ? [] : kinds };
}

/** Finishes the drafts. `sizeOf` tells the bytes of a snapshot; `pinnedIds` are the image IDs that CRI calls pinned. */
export function finishImages(
  drafts: readonly ImageDraft[],
  sizeOf: (node: SnapshotNode) => number,
  pinnedIds: ReadonlySet<string>,
): readonly Image[] {
  const layers = new Map<SnapshotNode, LayerSnapshot>();
  const layerOf = (node: SnapshotNode): LayerSnapshot => {
    let layer = layers.get(node);
    if (!layer) {
      layer = { key: node.key, size: sizeOf(node), ...(node.parent === undefined ? {} : { parent: node.parent }) };
      layers.set(node, layer);
    }
    return layer;
  };
  const alike = new Alike();
  const pinned = new Set(pinnedIds);
  for (const { names, identity } of drafts) if (names.some(isPinned)) pinned.add(identity.id);
  return drafts.map((one) => finish(one, pinned.has(one.identity.id) || one.names.some(isPinned), { layerOf, alike }));
}

/** Most images have the same few platforms and lists of kinds: one copy is enough for all of them. */
class Alike {
  readonly #kinds = new Map<string, readonly DigestKind[]>();
  readonly #texts = new Map<string, string>();

  kinds(kinds: readonly DigestKind[]): readonly DigestKind[] {
    return oneOf(this.#kinds, kinds.join(), kinds);
  }

  text(text: string): string {
    return oneOf(this.#texts, text, text);
  }
}

function oneOf<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  if (!known.has(key)) known.set(key, value);
  return known.get(key) ?? value;
}

interface Shared {
  readonly layerOf: (node: SnapshotNode) => LayerSnapshot;
  readonly alike: Alike;
}

function finish(from: ImageDraft, pinned: boolean, { layerOf, alike }: Shared): Image {
  const { target, names, identity, reached } = from;
  const { config } = identity;
  const parent = parentOf(names) ?? toDigest(config?.labels[parentLabel] ?? "");
  return {
    target,
    id: identity.id,
    digests: identity.digests,
    ...(identity.kinds.length === 0 ? {} : { digestKinds: alike.kinds(identity.kinds) }),
    pinned,
    blobs: reached.blobs.map((node) => node.blob),
    snapshots: reached.snapshots.map(layerOf),
    ...(config ? { labels: config.labels } : {}),
    ...(config?.platform ? { platform: alike.text(`${config.platform.os}/${config.platform.architecture}`) } : {}),
    ...(config?.createdAt === undefined ? {} : { createdAt: config.createdAt }),
    ...(parent ? { parent } : {}),
  };
}

function isPinned(name: ImageName): boolean {
  return name.labels[pinnedLabel] === "pinned";
}

function parentOf(names: readonly ImageName[]): Digest | undefined {
  return names.map((name) => toDigest(name.labels[parentLabel] ?? "")).find((digest) => digest !== undefined);
}
