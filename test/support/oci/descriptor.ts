// Descriptors and blobs: how OCI content points to other content.
import { createHash } from "node:crypto";
import { type Digest, toDigest } from "../../../src/image/digest.ts";

/** OCI image spec, "Media Types". */
export const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** OCI image spec, "Content Descriptors". */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Content together with the descriptor that points to it. */
export interface StoredBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** An image or an index, independent of where it will be stored. */
export interface Storable {
  /** What a name of the image points to. */
  readonly target: Descriptor;
  /** All content, every blob before whatever points to it; the target comes last. */
  readonly blobs: readonly StoredBlob[];
}

export function sha256(bytes: Uint8Array | string): Digest {
  const digest = toDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  if (digest === undefined) throw new Error("a sha256 sum is always a digest");
  return digest;
}

export function toBlob(bytes: Uint8Array, mediaType: string): StoredBlob {
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, bytes };
}

export function toJsonBlob(value: unknown, mediaType: string): StoredBlob {
  return toBlob(Buffer.from(JSON.stringify(value)), mediaType);
}

/** The blobs without repetitions, the first one of each digest kept. */
export function withoutRepeats(blobs: readonly StoredBlob[]): readonly StoredBlob[] {
  return [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
}
