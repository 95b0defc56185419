// Builds node states for tests in few words: digests from plain text, images with defaults, one namespace or several.
import { createHash } from "node:crypto";
import { firstSight, type Sighting } from "../../src/decide/history.ts";
import type { Digest } from "../../src/image/digest.ts";
import type {
  Container,
  Image,
  ImageName,
  LayerSnapshot,
  NamespaceState,
  NodeState,
} from "../../src/image/node-state.ts";

/** The digest of a word: the same word is the same digest everywhere. */
export function digestOf(word: string): Digest {
  return `sha256:${createHash("sha256").update(word).digest("hex")}` as Digest;
}

export interface ImageWords {
  /** Words for the layers, base first; the same words at the same place are the same content. */
  readonly layers?: readonly string[];
  /** Bytes of each layer's blob; its snapshot is twice as large. Default 1000. */
  readonly layerSize?: number;
}

/** An image called by a word: its manifest is the target, its config the ID, with blobs and a chain of snapshots. */
export function imageOf(word: string, { layers = [word], layerSize = 1000 }: ImageWords = {}): Image {
  const target = digestOf(`manifest ${word}`);
  const id = digestOf(`config ${word}`);
  const layerBlobs = layers.map((layer) => ({ digest: digestOf(`layer ${layer}`), size: layerSize }));
  const blobs = [{ digest: target, size: 100 }, { digest: id, size: 200 }, ...layerBlobs];
  return {
    target,
    id,
    digests: [target, id],
    labels: {},
    pinned: false,
    blobs,
    snapshots: chainOf(layers, layerSize * 2),
  };
}

export function nameOf(name: string, target: Digest, more: Partial<ImageName> = {}): ImageName {
  return { name, target, labels: {}, ...more };
}

export function containerOf(id: string, more: Partial<Container> = {}): Container {
  const nothing = { image: "", imageId: "", otherImageIds: [], snapshotKey: "", imageMounts: [] };
  return { id, ...nothing, state: "running", kind: "container", ...more };
}

/** What is remembered of something; seen first at 0 and never used since, unless told otherwise. */
export function sightingOf(more: Partial<Sighting> = {}): Sighting {
  return { ...firstSight(more.firstSeen ?? 0), ...more };
}

export function namespaceOf(name: string, more: Partial<NamespaceState> = {}): NamespaceState {
  return { name, names: [], images: [], containers: [], held: { blobs: [], snapshots: [] }, ...more };
}

export function nodeOf(more: Partial<NodeState> = {}): NodeState {
  const runtime = { kind: "embedded", version: "1" } as const;
  return { takenAt: Date.UTC(2026, 0, 1), runtime, namespaces: [], foreignBlobs: [], pods: null, ...more };
}

function chainOf(layers: readonly string[], size: number): LayerSnapshot[] {
  const keys = layers.map((_, depth) => `overlayfs/${digestOf(`chain ${layers.slice(0, depth + 1).join(" ")}`)}`);
  return keys.map((key, depth) => {
    const parent = keys[depth - 1];
    return { key, size, ...(parent === undefined ? {} : { parent }) };
  });
}
