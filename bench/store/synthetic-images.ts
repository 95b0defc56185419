// Describes a node's worth of images: families with shared layers, indexes and plain manifests, names as CRI writes them. Pure.
import type { Digest } from "../../src/image/digest.ts";
import {
  type Descriptor,
  mediaTypes,
  type StoredBlob,
  sha256,
  toBlob,
  toJsonBlob,
} from "../../test/support/oci/descriptor.ts";
import { hostPlatform } from "../../test/support/oci/image.ts";
import { chainIdsOf } from "../../test/support/oci/layer.ts";

/** A blob with the labels that a pull leaves on it: they are what the daemon's collection follows. */
export interface LabelledBlob extends StoredBlob {
  readonly labels: Readonly<Record<string, string>>;
}

/** A layer as the snapshotter holds it. */
export interface LayerToUnpack {
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
}

export interface SyntheticImage {
  readonly target: Descriptor;
  /** The image ID. */
  readonly config: Digest;
  /** Tags, digest reference and ID name, in this order. */
  readonly names: readonly string[];
  readonly blobs: readonly LabelledBlob[];
  /** Parents before children. */
  readonly layers: readonly LayerToUnpack[];
}

/** So many images stand on one base of so many layers. */
const familySize = 20;
const baseLayers = 3;
/** Six images in ten have a second tag: 1,000 images are 3,600 names. */
const secondTags = 0.6;
/** What is inside a layer does not matter here, and small layers make stores quick to write. */
const layerBytes = 4_096;

/** `count` different images. The same count always gives the same images. */
export function syntheticImages(count: number, snapshotter: string): readonly SyntheticImage[] {
  const families = new Map<number, readonly Layer[]>();
  return Array.from({ length: count }, (_, i) => {
    const family = Math.floor(i / familySize);
    const base = families.get(family) ?? Array.from({ length: baseLayers }, (_, n) => layerOf(`base ${family}/${n}`));
    families.set(family, base);
    return imageOf(i, [...base, layerOf(`app ${i}`)], snapshotter);
  });
}

interface Layer {
  readonly blob: StoredBlob;
  readonly diffId: Digest;
}

function layerOf(seed: string): Layer {
  const blob = toBlob(Buffer.alloc(layerBytes, `${seed} `), mediaTypes.layerGzip);
  return { blob, diffId: sha256(seed) };
}

function imageOf(i: number, layers: readonly Layer[], snapshotter: string): SyntheticImage {
  const repository = `registry.example.com/team-${i % 50}/service-${i}`;
  const chainIds = chainIdsOf(layers.map((layer) => layer.diffId));
  const config = toJsonBlob(configOf(i, layers), mediaTypes.config);
  const manifest = toJsonBlob(manifestOf(config, layers), mediaTypes.manifest);
  // Every other image was built for two platforms, of which the node fetched one.
  const index = i % 2 === 0 ? toJsonBlob(indexOf(i, manifest), mediaTypes.index) : undefined;
  const target = (index ?? manifest).descriptor;
  const source = { "containerd.io/distribution.source.registry.example.com": repository.slice(21) };
  const top = chainIds.at(-1) ?? "";
  return {
    target,
    config: config.descriptor.digest,
    names: namesOf(i, repository, { target: target.digest, config: config.descriptor.digest }),
    blobs: [
      ...layers.map(({ blob, diffId }) => ({ ...blob, labels: { ...source, "containerd.io/uncompressed": diffId } })),
      { ...config, labels: { ...source, [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top } },
      { ...manifest, labels: { ...source, ...manifestReferences(config, layers) } },
      ...(index === undefined ? [] : [{ ...index, labels: { ...source, ...indexReferences(i, manifest) } }]),
    ],
    layers: chainIds.map((chainId, n) => ({ chainId, parent: chainIds[n - 1] })),
  };
}

function namesOf(i: number, repository: string, { target, config }: Record<"target" | "config", Digest>): string[] {
  const hasSecondTag = Math.floor((i + 1) * secondTags) > Math.floor(i * secondTags);
  const tags = hasSecondTag ? [`${repository}:v1`, `${repository}:v1.${i}`] : [`${repository}:v1`];
  return [...tags, `${repository}@${target}`, config];
}

function configOf(i: number, layers: readonly Layer[]): unknown {
  return {
    created: "2024-01-01T00:00:00Z",
    ...hostPlatform,
    config: {
      Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
      Entrypoint: ["/service"],
      Labels: { "org.opencontainers.image.title": `service-${i}`, "org.opencontainers.image.version": "1.0.0" },
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    // Real configs carry the whole build: a few KiB.
    history: Array.from({ length: 12 }, (_, n) => ({
      created: "2024-01-01T00:00:00Z",
      created_by: `RUN /bin/sh -c set -eux; step ${n} of service-${i}; apt-get install --yes --no-install-recommends one two`,
      empty_layer: n >= layers.length,
    })),
  };
}

function manifestOf(config: StoredBlob, layers: readonly Layer[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: config.descriptor,
    layers: layers.map(({ blob }) => blob.descriptor),
  };
}

function manifestReferences(config: StoredBlob, layers: readonly Layer[]): Record<string, string> {
  const references: Record<string, string> = { "containerd.io/gc.ref.content.config": config.descriptor.digest };
  layers.forEach(({ blob }, n) => {
    references[`containerd.io/gc.ref.content.l.${n}`] = blob.descriptor.digest;
  });
  return references;
}

function indexOf(i: number, manifest: StoredBlob): unknown {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      { ...manifest.descriptor, platform: hostPlatform },
      { ...manifest.descriptor, digest: absentManifest(i), platform: { os: "linux", architecture: "riscv64" } },
    ],
  };
}

function indexReferences(i: number, manifest: StoredBlob): Record<string, string> {
  return {
    "containerd.io/gc.ref.content.m.0": manifest.descriptor.digest,
    "containerd.io/gc.ref.content.m.1": absentManifest(i),
  };
}

function absentManifest(i: number): Digest {
  return sha256(`absent manifest of service-${i}`);
}
