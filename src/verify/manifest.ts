// What an index or a manifest lists. Pure; reads by shape, because the media types of old content can be wrong or missing.
import { type Digest, toDigest } from "../image/digest.ts";

/** A blob that another one names. */
export interface Listed {
  readonly digest: Digest;
  /** Bytes, when the lister says so. */
  readonly size: number | undefined;
}

export type Listing =
  | { readonly kind: "index"; readonly manifests: readonly (Listed & { readonly attestation: boolean })[] }
  | { readonly kind: "manifest"; readonly config: Listed | undefined; readonly layers: readonly Listed[] };

type Json = Readonly<Record<string, unknown>>;

/** Reads an index or a manifest; undefined when the bytes are neither. Never throws. */
export function readListing(bytes: Uint8Array): Listing | undefined {
  const json = parse(bytes);
  if (json === undefined) return undefined;
  const { manifests, layers } = json;
  if (Array.isArray(manifests)) return { kind: "index", manifests: manifests.flatMap(toManifest) };
  if (!Array.isArray(layers)) return undefined;
  const [config] = toListed(json["config"]);
  return { kind: "manifest", config, layers: layers.flatMap(toListed) };
}

function toManifest(value: unknown): (Listed & { attestation: boolean })[] {
  const platform = isObject(value) && isObject(value["platform"]) ? value["platform"] : {};
  return toListed(value).map((listed) => ({ ...listed, attestation: platform["os"] === "unknown" }));
}

function toListed(value: unknown): Listed[] {
  if (!isObject(value)) return [];
  const digest = toDigest(String(value["digest"]));
  const size = typeof value["size"] === "number" ? value["size"] : undefined;
  return digest === undefined ? [] : [{ digest, size }];
}

function parse(bytes: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
