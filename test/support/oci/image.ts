// Images of one platform: layers, config and manifest, with every digest that means them.
import type { Digest } from "../../../src/image/digest.ts";
import {
  type Descriptor,
  mediaTypes,
  type Platform,
  type Storable,
  type StoredBlob,
  toJsonBlob,
  withoutRepeats,
} from "./descriptor.ts";
import { type BuiltLayer, chainIdsOf } from "./layer.ts";

export interface ImageDescription {
  /** From the bottom up. */
  readonly layers: readonly BuiltLayer[];
  readonly labels?: Readonly<Record<string, string>>;
  /** RFC 3339. Default 2024-01-01T00:00:00Z, so that digests do not change from run to run. */
  readonly created?: string;
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** `NAME=value`. */
  readonly env?: readonly string[];
  /** Default: linux on this machine's architecture. */
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface BuiltImage extends Storable {
  readonly layers: readonly BuiltLayer[];
  readonly platform: Platform;
  /** The image ID is `config.digest`. */
  readonly config: Descriptor;
  /** The same as `target`. */
  readonly manifest: Descriptor;
  readonly diffIds: readonly Digest[];
  /** Chain IDs from the bottom up; the last one is the key of the image's snapshot. */
  readonly chainIds: readonly Digest[];
}

/** The platform of this machine, in the words of the OCI image spec. */
export const hostPlatform: Platform = {
  os: "linux",
  architecture: process.arch === "x64" ? "amd64" : process.arch,
};

export function buildImage(description: ImageDescription): BuiltImage {
  const platform = description.platform ?? hostPlatform;
  const diffIds = description.layers.map((layer) => layer.diffId);
  const config = toJsonBlob(configOf(description, platform, diffIds), mediaTypes.config);
  const manifest = manifestOf(description, config);
  return {
    target: manifest.descriptor,
    blobs: withoutRepeats([...description.layers.map((layer) => layer.blob), config, manifest]),
    layers: description.layers,
    platform,
    config: config.descriptor,
    manifest: manifest.descriptor,
    diffIds,
    chainIds: chainIdsOf(diffIds),
  };
}

/** OCI image spec, "Image Configuration". */
function configOf(description: ImageDescription, platform: Platform, diffIds: readonly Digest[]): unknown {
  return {
    created: description.created ?? "2024-01-01T00:00:00Z",
    ...platform,
    config: {
      Env: description.env ?? ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: description.entrypoint,
      Cmd: description.cmd,
      Labels: description.labels,
    },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: description.layers.map(() => ({ created_by: "test" })),
  };
}

/** OCI image spec, "Image Manifest". */
function manifestOf(description: ImageDescription, config: StoredBlob): StoredBlob {
  return toJsonBlob(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: config.descriptor,
      layers: description.layers.map((layer) => layer.blob.descriptor),
      annotations: description.annotations,
    },
    mediaTypes.manifest,
  );
}
