// What something other than an image keeps alive: containers, leases, running pulls, roots of their own. Pure.
import type { Digest } from "../../image/digest.ts";
import type { References } from "./gc-labels.ts";
import { type Inventory, reach } from "./inventory.ts";

/** A lease that has not expired, and what it lists. */
export interface Lease {
  readonly id: string;
  /** True when it protects only what it lists. */
  readonly flat: boolean;
  readonly references: References;
}

/** The roots of the collection besides the images. */
export interface Roots {
  /** Of containers: their snapshots and what their labels name. */
  readonly containers: readonly References[];
  readonly leases: readonly Lease[];
  /** Digests that running writes will have. */
  readonly expected: readonly string[];
}

/** Everything in the inventory that the roots keep alive. */
export function heldBy(inventory: Inventory, roots: Roots): { blobs: readonly Digest[]; snapshots: readonly string[] } {
  const flat = roots.leases.filter((lease) => lease.flat).map((lease) => lease.references);
  const followed = [
    ...roots.containers,
    ...roots.leases.filter((lease) => !lease.flat).map((lease) => lease.references),
    ownRoots(inventory),
    { blobs: roots.expected, snapshots: [] },
  ];
  const reached = reach(inventory, merged(followed));
  const blobs = new Set(reached.blobs.map((node) => node.blob.digest));
  const snapshots = new Set(reached.snapshots.map((node) => node.key));
  for (const references of flat) addPresent(inventory, references, blobs, snapshots);
  return { blobs: [...blobs], snapshots: [...snapshots] };
}

/** What is kept for its own sake. A writable snapshot counts: somebody is about to use it, or uses it unknown to us. */
function ownRoots(inventory: Inventory): References {
  const blobs: string[] = [];
  const snapshots: string[] = [];
  for (const [digest, node] of inventory.blobs) if (node.root) blobs.push(digest);
  for (const [key, node] of inventory.snapshots) if (node.root || !node.committed) snapshots.push(key);
  return { blobs, snapshots };
}

function merged(all: readonly References[]): References {
  return { blobs: all.flatMap((one) => one.blobs), snapshots: all.flatMap((one) => one.snapshots) };
}

function addPresent(inventory: Inventory, references: References, blobs: Set<Digest>, snapshots: Set<string>): void {
  for (const digest of references.blobs) {
    const node = inventory.blobs.get(digest);
    if (node) blobs.add(node.blob.digest);
  }
  for (const key of references.snapshots) if (inventory.snapshots.has(key)) snapshots.add(key);
}
