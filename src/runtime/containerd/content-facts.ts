// The few facts that we keep of a blob's JSON: what an index lists, which config a manifest has, what a config says.
import { type Digest, isDigest, toDigest } from "../../image/digest.ts";
import type { Instant } from "../../image/node-state.ts";
import { topChainId } from "./chain-id.ts";

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** One manifest of an index. */
export interface IndexEntry {
  readonly digest: Digest;
  readonly platform?: Platform;
  /** True for what describes another manifest (provenance, SBOM) and is no image itself. */
  readonly attestation: boolean;
}

/** What a blob turned out to be. */
export type ContentFact =
  | { readonly kind: "index"; readonly entries: readonly IndexEntry[] }
  | { readonly kind: "manifest"; readonly config: Digest }
  | {
      readonly kind: "config";
      /** Undefined when the config was not read: what is known of it is that it is one. */
      readonly labels?: Readonly<Record<string, string>>;
      readonly createdAt?: Instant;
      readonly platform?: Platform;
      /** Chain ID of the topmost layer. */
      readonly top?: Digest;
    }
  /** Anything else: an artifact, a schema 1 manifest, something that is no JSON. */
  | { readonly kind: "other" };

const other: ContentFact = { kind: "other" };

type Json = Readonly<Record<string, unknown>>;

/** Recognises a blob by its shape, because the media types of old records can be wrong or missing. Never throws. */
export function readContentFact(bytes: Uint8Array): ContentFact {
  const json = parseObject(bytes);
  if (!json) return other;
  if (Array.isArray(json["manifests"])) return { kind: "index", entries: json["manifests"].flatMap(toIndexEntry) };
  const config = objectIn(json, "config");
  const configDigest = config && textIn(config, "digest");
  if (configDigest !== undefined && isDigest(configDigest)) return { kind: "manifest", config: configDigest };
  if (objectIn(json, "rootfs") || textIn(json, "architecture") !== undefined) return toConfig(json);
  return other;
}

function toIndexEntry(value: unknown): readonly IndexEntry[] {
  if (!isObject(value)) return [];
  const digest = toDigest(textIn(value, "digest") ?? "");
  if (!digest) return [];
  const platform = platformIn(objectIn(value, "platform"));
  const annotations = objectIn(value, "annotations");
  const attestation =
    annotations?.["vnd.docker.reference.type"] === "attestation-manifest" || platform?.os === "unknown";
  return [{ digest, attestation, ...(platform ? { platform } : {}) }];
}

function toConfig(json: Json): ContentFact {
  const createdAt = Date.parse(textIn(json, "created") ?? "");
  const platform = platformIn(json);
  const diffIds = objectIn(json, "rootfs")?.["diff_ids"];
  const top = Array.isArray(diffIds) ? topChainId(diffIds.filter((id) => typeof id === "string")) : undefined;
  return {
    kind: "config",
    labels: textsOf(objectIn(objectIn(json, "config") ?? {}, "Labels")),
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
    ...(platform ? { platform } : {}),
    ...(top ? { top } : {}),
  };
}

function platformIn(json: Json | undefined): Platform | undefined {
  const os = json && textIn(json, "os");
  const architecture = json && textIn(json, "architecture");
  return os && architecture ? { os, architecture } : undefined;
}

function textsOf(json: Json | undefined): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(json ?? {})) if (typeof value === "string") texts[key] = value;
  return texts;
}

function parseObject(bytes: Uint8Array): Json | undefined {
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

function objectIn(json: Json, key: string): Json | undefined {
  const value = json[key];
  return isObject(value) ? value : undefined;
}

function textIn(json: Json, key: string): string | undefined {
  const value = json[key];
  return typeof value === "string" ? value : undefined;
}
