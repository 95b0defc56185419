// One namespace as it is seen: names first, then what they are made of, then who uses it.
import type { NamespaceState } from "../../image/node-state.ts";
import type { ImageResolver } from "./containers.ts";
import type { Platform } from "./content-facts.ts";
import type { CriLink } from "./cri-link.ts";
import type { FactReader } from "./fact-reader.ts";
import { heldBy } from "./held.ts";
import { draftImages, finishImages } from "./images.ts";
import type { Inventory } from "./inventory.ts";
import { knownImages } from "./known-images.ts";
import { type Reading, readExpected, readInventory, readNames } from "./read-inventory.ts";
import { readUses } from "./read-uses.ts";
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

/** Reads a namespace that exists. */
export async function observeNamespace(
  reading: Reading,
  memory: Memory,
  question: NamespaceQuestion,
): Promise<NamespaceSeen> {
  const { namespace, scope } = reading;
  const names = await readNames(reading);
  const inventory = await readInventory(reading, question.snapshotters);
  await memory.facts.read(namespace, new Set(names.map((name) => name.target)), inventory, scope);
  const drafts = draftImages(names, inventory, {
    lookup: (digest) => memory.facts.factOf(inventory, digest),
    host: memory.host,
  });
  const layers = new Set(drafts.flatMap((draft) => draft.reached.snapshots));
  const sizeOf = await memory.sizes.measure(namespace, layers, scope);
  const resolver = knownImages(names, drafts);
  const expected = await readExpected(reading);
  const pinnedIds = (await question.cri?.pinnedIds(scope)) ?? new Set<string>();
  const uses = await readUses(reading, {
    snapshotters: question.snapshotters,
    resolver,
    readCri: async () => question.cri?.view(scope, question.withMounts),
  });
  const roots = { containers: uses.records.map((record) => record.references), leases: uses.leases, expected };
  const state: NamespaceState = {
    name: namespace,
    names,
    images: finishImages(drafts, sizeOf, pinnedIds),
    containers: uses.containers,
    held: heldBy(inventory, roots),
  };
  return { state, inventory, resolver };
}
