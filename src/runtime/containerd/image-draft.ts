// What each target of a namespace means and keeps alive. Pure; a target around which nothing changed is not looked at again.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { Image, ImageName } from "../../image/node-state.ts";
import type { ContentFact, Platform } from "./content-facts.ts";
import { type References, referencesOf } from "./gc-labels.ts";
import { type FactLookup, type ImageIdentity, identify } from "./image-identity.ts";
import { type Inventory, isOnLastWalk, type Reached, reach, stillReached } from "./inventory.ts";

/** An image before the sizes of its snapshots and its pins are known. */
export interface ImageDraft {
  readonly target: Digest;
  readonly names: readonly ImageName[];
  readonly identity: ImageIdentity;
  readonly reached: Reached;
  /** Blobs that the content names and no label does, or that are not here. */
  readonly beside: Reached;
  /** Chain IDs that a container of this image stands on. */
  readonly tops: readonly string[];
  /** False when something of it is here and could not be read: it may be whole the next time. */
  readonly whole: boolean;
  /** False when its config was not asked for. */
  readonly withConfig: boolean;
  /** The image that was made of it. */
  image: Image | undefined;
}

/** What drafts are made from. */
export interface DraftSources {
  readonly inventory: Inventory;
  readonly lookup: FactLookup;
  readonly host: Platform;
}

/** True when a draft of these names would come out the same. `configs` says whether configs are asked for. */
export function isCurrent(
  draft: ImageDraft,
  names: readonly ImageName[],
  { inventory, configs }: { readonly inventory: Inventory; readonly configs: boolean },
): boolean {
  if (!draft.whole || (configs && !draft.withConfig) || !sameNames(draft.names, names)) return false;
  return stillReached(inventory, draft.reached) && stillReached(inventory, draft.beside);
}

function sameNames(one: readonly ImageName[], other: readonly ImageName[]): boolean {
  return one === other || (one.length === other.length && one.every((name, i) => name === other[i]));
}

/** Finds out what the target of these names means and keeps alive. */
export function makeDraft(
  target: Digest,
  names: readonly ImageName[],
  { inventory, lookup, host }: DraftSources,
): ImageDraft {
  const reached = reach(inventory, rootsOf(target, names));
  const beside: Reached = { blobs: [], snapshots: [], missing: [] };
  let whole = true;
  let withConfig = true;
  const noted = (digest: Digest): ContentFact | undefined => {
    const node = inventory.blobs.get(digest);
    if (!node) beside.missing.push(digest);
    else if (!isOnLastWalk(node)) beside.blobs.push(node);
    const fact = lookup(digest);
    if (node && !fact) whole = false;
    if (fact?.kind === "config" && fact.labels === undefined) withConfig = false;
    return fact;
  };
  const identity = withLabelledConfigs(identify(target, noted, host), reached);
  const tops = new Set<string>(identity.tops);
  for (const node of reached.blobs)
    for (const key of node.references.snapshots) tops.add(key.slice(key.indexOf("/") + 1));
  return { target, names, identity, reached, beside, tops: [...tops], whole, withConfig, image: undefined };
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
