// Which digests mean one image, and which of them is its ID. Pure: works on facts that were read before.
import type { Digest } from "../../image/digest.ts";
import type { DigestKind } from "../../image/node-state.ts";
import type { ContentFact, Platform } from "./content-facts.ts";

/** Looks up what is known of a blob; undefined when it is not here or could not be read. */
export type FactLookup = (digest: Digest) => ContentFact | undefined;

export type ConfigFact = Extract<ContentFact, { kind: "config" }>;

export interface ImageIdentity {
  /** The config digest of the node's platform; the first config that is here when there is none; else the target. */
  readonly id: Digest;
  /** Target, manifests and configs, the target first. */
  readonly digests: readonly Digest[];
  /** What each digest names; empty when the target could not be read. */
  readonly kinds: readonly DigestKind[];
  readonly config?: ConfigFact;
  /** Chain IDs of the topmost layers, one per platform that is here. */
  readonly tops: readonly Digest[];
}

interface Manifest {
  readonly digest: Digest;
  readonly config: Digest;
  readonly platform: Platform | undefined;
  readonly attestation: boolean;
}

/** Indexes inside indexes deeper than this are not followed; nobody builds them. */
const maxDepth = 4;

/** What the target means on a node of platform `host`. */
export function identify(target: Digest, lookup: FactLookup, host: Platform): ImageIdentity {
  const manifests = manifestsUnder({ digest: target, attestation: false }, lookup, 0);
  const runnable = manifests.flatMap((manifest) => {
    const config = manifest.attestation ? undefined : lookup(manifest.config);
    return config?.kind === "config" ? [{ manifest, config }] : [];
  });
  const chosen =
    runnable.find(({ manifest, config }) => runsOn(manifest.platform ?? config.platform, host)) ?? runnable[0];
  const kinds = new Map<Digest, DigestKind>();
  const targetKind = lookup(target)?.kind;
  kinds.set(target, targetKind === "index" ? "index" : "manifest");
  for (const { digest } of manifests) if (digest !== target) kinds.set(digest, "manifest");
  for (const { config, attestation } of manifests) if (!attestation) kinds.set(config, "config");
  return {
    id: chosen?.manifest.config ?? target,
    digests: [...kinds.keys()],
    kinds: targetKind === "index" || targetKind === "manifest" ? [...kinds.values()] : [],
    tops: runnable.flatMap(({ config }) => (config.top ? [config.top] : [])),
    ...(chosen ? { config: chosen.config } : {}),
  };
}

interface Descriptor {
  readonly digest: Digest;
  readonly platform?: Platform;
  readonly attestation: boolean;
}

function manifestsUnder(at: Descriptor, lookup: FactLookup, depth: number): readonly Manifest[] {
  const fact = lookup(at.digest);
  if (fact?.kind === "manifest") {
    return [{ digest: at.digest, config: fact.config, platform: at.platform, attestation: at.attestation }];
  }
  if (fact?.kind !== "index" || depth === maxDepth) return [];
  return fact.entries.flatMap((entry) => manifestsUnder(entry, lookup, depth + 1));
}

function runsOn(platform: Platform | undefined, host: Platform): boolean {
  return platform?.os === host.os && platform.architecture === host.architecture;
}
