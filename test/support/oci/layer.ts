// Layers: a set of files as one blob, plain or compressed. The same value can be part of many images.
import { gzipSync } from "node:zlib";
import type { Digest } from "../../../src/image/digest.ts";
import { mediaTypes, type StoredBlob, sha256, toBlob } from "./descriptor.ts";
import { createTar, type TarEntry } from "./tar.ts";

/** What a path of a layer holds: text or bytes of a file, or more detail. Directories above it are added. */
export type LayerFile =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly mode: number }
  | { readonly linkTo: string };

export interface LayerOptions {
  /** Default true. */
  readonly gzip?: boolean;
}

export interface BuiltLayer {
  /** The blob as it is stored and pulled. */
  readonly blob: StoredBlob;
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
}

/** Builds a layer of files by path (relative, without a leading slash). The same files always give the same digests. */
export function buildLayer(files: Readonly<Record<string, LayerFile>>, { gzip = true }: LayerOptions = {}): BuiltLayer {
  const tar = createTar(toEntries(files));
  const blob = gzip ? toBlob(gzipSync(tar), mediaTypes.layerGzip) : toBlob(tar, mediaTypes.layer);
  return { blob, diffId: sha256(tar) };
}

/** The chain IDs of a stack of diff IDs, the topmost last (OCI image spec, "Layer ChainID"). */
export function chainIdsOf(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chain;
}

function toEntries(files: Readonly<Record<string, LayerFile>>): readonly TarEntry[] {
  const paths = Object.keys(files).sort();
  const folders = new Set(paths.flatMap(foldersAbove));
  const directories = [...folders].sort().map((path): TarEntry => ({ kind: "directory", path }));
  return [...directories, ...paths.map((path) => toEntry(path, files[path] ?? ""))];
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join("/"));
}

function toEntry(path: string, file: LayerFile): TarEntry {
  if (typeof file === "string" || file instanceof Uint8Array) return { kind: "file", path, content: toBytes(file) };
  if ("linkTo" in file) return { kind: "symlink", path, target: file.linkTo };
  return { kind: "file", path, content: toBytes(file.content), mode: file.mode };
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}
