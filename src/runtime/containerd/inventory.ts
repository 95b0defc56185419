// What one namespace holds, as a graph: blobs and snapshots, and what keeps what alive. Pure.
import type { Digest } from "../../image/digest.ts";
import type { Blob } from "../../image/node-state.ts";
import type { References } from "./gc-labels.ts";

/** A blob of the content store with what its labels keep alive. */
export interface BlobNode {
  readonly blob: Blob;
  readonly references: References;
  /** True when the blob is kept for its own sake. */
  readonly root: boolean;
  visit: number;
}

/** A snapshot of any kind. Keys have the form `<snapshotter>/<key>`. */
export interface SnapshotNode {
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
  visit: number;
}

/** Blobs by digest and snapshots by key. `visits` numbers the walks, so that a walk needs no set of its own. */
export interface Inventory {
  readonly blobs: Map<string, BlobNode>;
  readonly snapshots: Map<string, SnapshotNode>;
  visits: number;
}

/** What a walk reached, each node once; snapshots with parents before children. */
export interface Reached {
  readonly blobs: BlobNode[];
  readonly snapshots: SnapshotNode[];
}

export function emptyInventory(): Inventory {
  return { blobs: new Map(), snapshots: new Map(), visits: 0 };
}

/**
 * Everything that `start` keeps alive: blobs and snapshots through their labels, snapshots through their parents too.
 * Nodes that are not there are ignored: an index names the manifests of platforms that were never fetched.
 */
export function reach(inventory: Inventory, start: References): Reached {
  inventory.visits += 1;
  const visit = inventory.visits;
  const reached: Reached = { blobs: [], snapshots: [] };
  const pending: References[] = [start];
  for (let references = pending.pop(); references; references = pending.pop()) {
    for (const digest of references.blobs) {
      const node = inventory.blobs.get(digest);
      if (!node || node.visit === visit) continue;
      node.visit = visit;
      reached.blobs.push(node);
      pending.push(node.references);
    }
    for (const key of references.snapshots) {
      for (const node of unvisitedChain(inventory, key, visit)) {
        reached.snapshots.push(node);
        pending.push(node.references);
      }
    }
  }
  return reached;
}

/** The snapshot and its ancestors that this walk has not seen, the oldest first. */
function unvisitedChain(inventory: Inventory, key: string, visit: number): readonly SnapshotNode[] {
  const chain: SnapshotNode[] = [];
  let node = inventory.snapshots.get(key);
  while (node && node.visit !== visit) {
    node.visit = visit;
    chain.push(node);
    node = node.parent === undefined ? undefined : inventory.snapshots.get(node.parent);
  }
  return chain.reverse();
}

/** True when the blob with this digest is here. */
export function holdsBlob(inventory: Inventory, digest: Digest): boolean {
  return inventory.blobs.has(digest);
}
