// One namespace as it is seen: names first, then what they are made of and who uses it.
import type { NamespaceState } from "../../image/node-state.ts";
import type { CriLink } from "../cri/cri-link.ts";
import type { ImageResolver } from "./containers.ts";
import type { Platform } from "./content-facts.ts";
import type { FactReader } from "./fact-reader.ts";
import { heldBy } from "./held.ts";
import { draftImages, finishImages } from "./images.ts";
import type { Inventory } from "./inventory.ts";
import { knownImages } from "./known-images.ts";
import { type Reading, readExpected, readInventory, readNames } from "./read-inventory.ts";
import { readUseRecords, resolveUses } from "./read-uses.ts";
import type { SnapshotSizes } from "./snapshot-sizes.ts";

/** What outlives one observation. */
export interface Memory {
  readonly facts: FactReader;
  readonly sizes: SnapshotSizes;
  readonly host: Platform;
}

export interface NamespaceQuestion {
  readonly snapshotters: readonly string[];
  /** CRI, when it manages this namespace. */
  readonly cri: CriLink | undefined;
  /** Ask CRI for the image volumes of every new container. */
  readonly withMounts: boolean;
}

export interface NamespaceSeen {
  readonly state: NamespaceState;
  readonly inventory: Inventory;
  readonly resolver: ImageResolver;
}

/**
 * Reads a namespace that exists. Names come first, so that the content of every name and every container made from one are
 * found afterwards; the rest is read side by side, because the daemon is what takes the time.
 */
export async function observeNamespace(
  reading: Reading,
  memory: Memory,
  question: NamespaceQuestion,
): Promise<NamespaceSeen> {
  const { namespace, scope } = reading;
  const { cri, snapshotters, withMounts } = question;
  const names = await readNames(reading);
  const [inventory, expected, pinnedIds, records] = await Promise.all([
    readInventory(reading, snapshotters),
    readExpected(reading),
    cri?.pinnedIds(scope) ?? new Set<string>(),
    readUseRecords(reading, { snapshotters, readCri: async () => cri?.view(scope, withMounts) }),
  ]);
  await memory.facts.read(namespace, new Set(names.map((name) => name.target)), inventory, scope);
  const drafts = draftImages(names, inventory, {
    lookup: (digest) => memory.facts.factOf(inventory, digest),
    host: memory.host,
  });
  const layers = new Set(drafts.flatMap((draft) => draft.reached.snapshots));
  const sizeOf = await memory.sizes.measure(namespace, layers, scope);
  const resolver = knownImages(names, drafts);
  const roots = {
    containers: records.records.map((record) => record.references),
    leases: records.leases,
    expected,
  };
  const state: NamespaceState = {
    name: namespace,
    names,
    images: finishImages(drafts, sizeOf, pinnedIds),
    containers: await resolveUses(reading, records, resolver),
    held: heldBy(inventory, roots),
  };
  return { state, inventory, resolver };
}
