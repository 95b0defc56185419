// The snapshots that somebody writes or looks at: each of them uses what it stands on.
import { isDigest } from "../../image/digest.ts";
import { mapBounded } from "../bounded.ts";
import type { Inventory } from "./inventory.ts";
import { forEachSnapshot, keyOf, type Reading } from "./read-inventory.ts";
import { whenGone } from "./when-gone.ts";

const asksAtATime = 16;

/** Snapshots that are not committed, and a way down from them. */
export interface WritableSnapshots {
  /** Keys, the containers' own among them. */
  readonly keys: readonly string[];
  /** The key of the snapshot below, for those above the layers of images. */
  parentOf(key: string): string | undefined;
}

/** Those of an inventory. */
export function writableIn(inventory: Inventory): WritableSnapshots {
  const keys: string[] = [];
  for (const node of inventory.snapshots.values()) if (!node.committed) keys.push(node.key);
  return { keys, parentOf: (key) => inventory.snapshots.get(key)?.parent };
}

/** Asks for those alone. */
export async function readWritableSnapshots(
  reading: Reading,
  snapshotters: readonly string[],
): Promise<WritableSnapshots> {
  const parents = new Map<string, string | undefined>();
  for (const snapshotter of snapshotters) {
    const request = { snapshotter, filters: ["kind==active", "kind==view"] };
    await forEachSnapshot(reading, request, ({ name, parent, committed }) => {
      if (!committed) parents.set(keyOf(snapshotter, name), parent === "" ? undefined : keyOf(snapshotter, parent));
    });
  }
  const keys = [...parents.keys()];
  await addParentsBetween(reading, parents);
  return { keys, parentOf: (key) => parents.get(key) };
}

/** Between a container and its image can lie committed snapshots that are no layers, such as copies with shifted user IDs. */
async function addParentsBetween(reading: Reading, parents: Map<string, string | undefined>): Promise<void> {
  for (let depth = 0; depth < 8; depth += 1) {
    const unknown = new Set<string>();
    for (const key of parents.values()) {
      if (key !== undefined && !parents.has(key) && !isDigest(key.slice(key.indexOf("/") + 1))) unknown.add(key);
    }
    if (unknown.size === 0) return;
    await mapBounded([...unknown], asksAtATime, async (key) => parents.set(key, await parentOf(reading, key)));
  }
}

async function parentOf({ connection, namespace, scope }: Reading, key: string): Promise<string | undefined> {
  const slash = key.indexOf("/");
  const snapshotter = key.slice(0, slash);
  const answer = await whenGone(
    connection.call({ operation: "stat snapshot", namespace }, scope, (options) =>
      connection.clients.snapshots.stat({ snapshotter, key: key.slice(slash + 1) }, options),
    ),
    undefined,
  );
  return answer?.info?.parent ? keyOf(snapshotter, answer.info.parent) : undefined;
}
