// One namespace as it is seen: names first, then what they are made of and who uses it.
import type { Digest } from "../../image/digest.ts";
import type { Image, ImageName, NamespaceState } from "../../image/node-state.ts";
import type { CriLink } from "../cri/cri-link.ts";
import type { ImageResolver } from "./containers.ts";
import type { Platform } from "./content-facts.ts";
import type { FactReader } from "./fact-reader.ts";
import { heldBy } from "./held.ts";
import { type ImageDraft, isCurrent, makeDraft } from "./image-draft.ts";
import { finishImages } from "./images.ts";
import { emptyInventory, type Inventory } from "./inventory.ts";
import { knownImages } from "./known-images.ts";
import { type NameTable, type Reading, readBlobs, readExpected, readNames, readSnapshots } from "./read-inventory.ts";
import { readUseRecords, resolveUses } from "./read-uses.ts";
import { measureSnapshots } from "./snapshot-sizes.ts";
import { writableIn } from "./writable-snapshots.ts";

/** What a look leaves for the next one: whatever did not change is not decoded, followed or made again. */
export interface KnownNamespace {
  readonly names: NameTable;
  readonly inventory: Inventory;
  readonly drafts: ReadonlyMap<Digest, ImageDraft>;
  readonly images: readonly Image[];
  readonly resolver: ImageResolver;
  /** Undefined when CRI was not there to ask. */
  readonly pinnedIds: ReadonlySet<string> | undefined;
}

export interface NamespaceQuestion {
  readonly snapshotters: readonly string[];
  /** CRI, when it manages this namespace. */
  readonly cri: CriLink | undefined;
  /** Ask CRI for the image volumes of every new container. */
  readonly withMounts: boolean;
  readonly facts: FactReader;
  /** What the configs of images say is asked for. */
  readonly configs: boolean;
  readonly host: Platform;
  /** What the last look that ended well knew. */
  readonly before: KnownNamespace | undefined;
}

export interface NamespaceSeen {
  readonly state: NamespaceState;
  readonly known: KnownNamespace;
}

/**
 * Reads a namespace that exists. Names come first, so that the content of every name and every container made from one are
 * found afterwards; the rest is read side by side, because the daemon is what takes the time.
 */
export async function observeNamespace(reading: Reading, question: NamespaceQuestion): Promise<NamespaceSeen> {
  const { scope } = reading;
  const { cri, snapshotters, withMounts, before } = question;
  const names = await readNames(reading, before?.names);
  const inventory = emptyInventory();
  const readWritable = async () => {
    await readSnapshots(reading, snapshotters, inventory, before?.inventory);
    return writableIn(inventory);
  };
  const [expected, pinnedIds, uses] = await Promise.all([
    readExpected(reading),
    readPins(names, question, () => cri?.pinnedIds(scope)),
    readUseRecords(reading, { readCri: async () => cri?.view(scope, withMounts), readWritable }),
    readBlobs(reading, inventory, before?.inventory),
  ]);
  const drafts = await draftImages(reading, question, names, inventory);
  const all = [...drafts.values()];
  const images = sameOrNew(finishImages(all, pinnedIds ?? new Set()), before?.images);
  const unchanged = names === before?.names && all.every((draft) => before.drafts.get(draft.target) === draft);
  const resolver = unchanged ? before.resolver : knownImages(names, all);
  const containers = uses.records.map((record) => record.references);
  const state: NamespaceState = {
    name: reading.namespace,
    names: names.list,
    images,
    containers: await resolveUses(reading, uses, resolver),
    held: heldBy(inventory, { containers, leases: uses.leases, expected }),
  };
  return { state, known: { names, inventory, drafts, images, resolver, pinnedIds } };
}

/** CRI tells the pins from the labels of the names: as long as those are the same, so are the pins. */
async function readPins(
  names: NameTable,
  { before }: NamespaceQuestion,
  ask: () => Promise<ReadonlySet<string> | undefined> | undefined,
): Promise<ReadonlySet<string> | undefined> {
  return names === before?.names && before.pinnedIds ? before.pinnedIds : ask();
}

/** One draft for each target, with its snapshots measured. In order of the targets. */
async function draftImages(
  reading: Reading,
  { before, facts, configs, host }: NamespaceQuestion,
  names: NameTable,
  inventory: Inventory,
): Promise<ReadonlyMap<Digest, ImageDraft>> {
  const drafts = new Map<Digest, ImageDraft>();
  const changed: [Digest, readonly ImageName[]][] = [];
  for (const [target, ofTarget] of byTarget(names, before)) {
    const known = before?.drafts.get(target);
    if (known && isCurrent(known, ofTarget, { inventory, configs })) drafts.set(target, known);
    else changed.push([target, ofTarget]);
  }
  const targets = changed.map(([target]) => target);
  const lookup = await facts.read(reading, targets, { inventory, configs });
  const made = changed.map(([target, ofTarget]) => makeDraft(target, ofTarget, { inventory, lookup, host }));
  for (const draft of made) drafts.set(draft.target, draft);
  await measureSnapshots(
    reading,
    made.flatMap((draft) => draft.reached.snapshots),
  );
  const inOrder = names === before?.names && made.length === 0;
  return inOrder ? drafts : new Map([...drafts].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function byTarget(
  names: NameTable,
  before: KnownNamespace | undefined,
): Iterable<readonly [Digest, readonly ImageName[]]> {
  if (names !== before?.names) return Map.groupBy(names.list, (name) => name.target);
  return [...before.drafts.values()].map((draft) => [draft.target, draft.names]);
}

/** The list before when it holds the same objects: what was made of it then still stands. */
function sameOrNew<Entry>(now: readonly Entry[], before: readonly Entry[] | undefined): readonly Entry[] {
  return before && now.length === before.length && now.every((entry, i) => entry === before[i]) ? before : now;
}
