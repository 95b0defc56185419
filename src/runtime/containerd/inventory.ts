// What one namespace holds, as a graph: blobs and snapshots, and what keeps what alive. Pure, but for marks on the nodes.
import type { Blob, LayerSnapshot } from "../../image/node-state.ts";
import type { References } from "./gc-labels.ts";

/** Marks that spare every walk and every look a set of its own. Only functions of this file write them. */
interface Marked {
  /** The last walk that came here. */
  walk: number;
  /** The inventory that this node belongs to; an older one's nodes may belong to a newer one as well. */
  inventory: number;
}

/** A blob of the content store with what its labels keep alive. */
export interface BlobNode extends Marked {
  readonly blob: Blob;
  readonly references: References;
  /** True when the blob is kept for its own sake. */
  readonly root: boolean;
}

/** A snapshot of any kind. Keys have the form `<snapshotter>/<key>`. */
export interface SnapshotNode extends Marked {
  readonly key: string;
  readonly snapshotter: string;
  /** The key inside the snapshotter; a chain ID for the layers of images. */
  readonly name: string;
  readonly parent: string | undefined;
  readonly committed: boolean;
  /** When it was made, as text that differs when the key was used again. */
  readonly createdAt: string;
  readonly references: References;
  readonly root: boolean;
  /** With its size, once that was asked for: a committed snapshot never changes. */
  layer: LayerSnapshot | undefined;
}

/** Blobs by digest and snapshots by key. */
export interface Inventory {
  readonly id: number;
  readonly blobs: Map<string, BlobNode>;
  readonly snapshots: Map<string, SnapshotNode>;
}

/** What a walk reached, each node once; snapshots with parents before children. */
export interface Reached {
  readonly blobs: BlobNode[];
  readonly snapshots: SnapshotNode[];
  /** Digests and keys that something names and that are not here: an index names manifests that were never fetched. */
  readonly missing: string[];
}

// Inventories share the nodes that did not change, so their numbers and those of walks are never used twice.
let lastInventory = 0;
let lastWalk = 0;

export function emptyInventory(): Inventory {
  lastInventory += 1;
  return { id: lastInventory, blobs: new Map(), snapshots: new Map() };
}

/** Adds a blob: as the node that `before` has, when nothing about it changed. */
export function addBlob(inventory: Inventory, blob: Omit<BlobNode, keyof Marked>, before: Inventory | undefined): void {
  const known = before?.blobs.get(blob.blob.digest);
  const node = known && sameBlob(known, blob) ? known : { ...blob, walk: 0, inventory: 0 };
  node.inventory = inventory.id;
  inventory.blobs.set(node.blob.digest, node);
}

/** Adds a snapshot: as the node that `before` has, when nothing about it changed. */
export function addSnapshot(
  inventory: Inventory,
  snapshot: Omit<SnapshotNode, keyof Marked | "layer">,
  before: Inventory | undefined,
): void {
  const known = before?.snapshots.get(snapshot.key);
  const layer = known?.createdAt === snapshot.createdAt && known.parent === snapshot.parent ? known.layer : undefined;
  const node = known && sameSnapshot(known, snapshot) ? known : { ...snapshot, layer, walk: 0, inventory: 0 };
  node.inventory = inventory.id;
  inventory.snapshots.set(node.key, node);
}

function sameBlob(known: BlobNode, { blob, references, root }: Omit<BlobNode, keyof Marked>): boolean {
  return known.blob.size === blob.size && known.root === root && sameReferences(known.references, references);
}

function sameSnapshot(known: SnapshotNode, now: Omit<SnapshotNode, keyof Marked | "layer">): boolean {
  const same = known.parent === now.parent && known.createdAt === now.createdAt && known.committed === now.committed;
  return same && known.root === now.root && sameReferences(known.references, now.references);
}

function sameReferences(one: References, other: References): boolean {
  if (one === other) return true;
  const sameConfig = one.config === other.config;
  return sameConfig && sameTexts(one.blobs, other.blobs) && sameTexts(one.snapshots, other.snapshots);
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, i) => text === other[i]);
}

/** True when the last walk of all came to this node. */
export function isOnLastWalk(node: BlobNode): boolean {
  return node.walk === lastWalk;
}

/** True when a walk through this inventory would reach the same nodes from the same start. */
export function stillReached(inventory: Inventory, { blobs, snapshots, missing }: Reached): boolean {
  for (const node of blobs) if (node.inventory !== inventory.id) return false;
  for (const node of snapshots) if (node.inventory !== inventory.id) return false;
  return !missing.some((key) => inventory.blobs.has(key) || inventory.snapshots.has(key));
}

/** Everything that `start` keeps alive: blobs and snapshots through their labels, snapshots through their parents too. */
export function reach(inventory: Inventory, start: References): Reached {
  lastWalk += 1;
  const walk = lastWalk;
  const reached: Reached = { blobs: [], snapshots: [], missing: [] };
  const pending: References[] = [start];
  for (let references = pending.pop(); references; references = pending.pop()) {
    for (const digest of references.blobs) {
      const node = inventory.blobs.get(digest);
      if (!node) reached.missing.push(digest);
      if (!node || node.walk === walk) continue;
      node.walk = walk;
      reached.blobs.push(node);
      pending.push(node.references);
    }
    for (const key of references.snapshots) {
      for (const node of unvisitedChain(inventory, key, reached.missing)) {
        reached.snapshots.push(node);
        pending.push(node.references);
      }
    }
  }
  return reached;
}

/** The snapshot and its ancestors that the present walk has not seen, the oldest first. */
function unvisitedChain(inventory: Inventory, start: string, missing: string[]): readonly SnapshotNode[] {
  const chain: SnapshotNode[] = [];
  let key: string | undefined = start;
  while (key !== undefined) {
    const node = inventory.snapshots.get(key);
    if (!node) missing.push(key);
    if (!node || node.walk === lastWalk) break;
    node.walk = lastWalk;
    chain.push(node);
    key = node.parent;
  }
  return chain.reverse();
}
