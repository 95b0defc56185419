// Sizes of layer snapshots: asked once per snapshot, because a committed one never changes.
import type { LayerSnapshot } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import { Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import type { SnapshotNode } from "./inventory.ts";
import type { Reading } from "./read-inventory.ts";
import { whenGone } from "./when-gone.ts";

const asksAtATime = 32;

/** Finds out the sizes of the snapshots that have none yet and notes them there. */
export async function measureSnapshots(reading: Reading, nodes: Iterable<SnapshotNode>): Promise<void> {
  const unknown = new Set<SnapshotNode>();
  for (const node of nodes) if (node.layer === undefined) unknown.add(node);
  await mapBounded([...unknown], asksAtATime, async (node) => {
    const used = await askUsage(reading, node);
    node.layer = { key: node.key, ...used, ...(node.parent === undefined ? {} : { parent: node.parent }) };
  });
}

/** Bytes and inodes of the snapshot alone; none for one that is gone meanwhile. */
async function askUsage(
  { connection, namespace, scope }: Reading,
  { snapshotter, name }: SnapshotNode,
): Promise<Pick<LayerSnapshot, "size" | "inodes">> {
  const request = { method: Snapshots.method.usage, input: { snapshotter, key: name } };
  const [usage] = await whenGone(connection.collect({ operation: "snapshot usage", namespace }, scope, request), []);
  const inodes = Number(usage?.inodes ?? 0n);
  // Some snapshotters do not count inodes and say 0.
  return { size: Number(usage?.size ?? 0n), ...(inodes > 0 ? { inodes } : {}) };
}
