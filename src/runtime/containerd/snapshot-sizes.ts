// Sizes of layer snapshots: asked once per snapshot, because a committed one never changes.
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
    const size = await askSize(reading, node);
    node.layer = { key: node.key, size, ...(node.parent === undefined ? {} : { parent: node.parent }) };
  });
}

/** Bytes; 0 for a snapshot that is gone meanwhile. */
async function askSize(
  { connection, namespace, scope }: Reading,
  { snapshotter, name }: SnapshotNode,
): Promise<number> {
  const request = { method: Snapshots.method.usage, input: { snapshotter, key: name } };
  const [usage] = await whenGone(connection.collect({ operation: "snapshot usage", namespace }, scope, request), []);
  return Number(usage?.size ?? 0n);
}
