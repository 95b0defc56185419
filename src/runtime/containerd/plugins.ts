// The plugins of the daemon that hold images: its snapshotters and its content store.
import type { Scope } from "../wire/calls.ts";
import type { Connection } from "./connection.ts";

export interface StoragePlugins {
  /** IDs of the snapshotters that work. */
  readonly snapshotters: readonly string[];
  /** Directories on the daemon's side that hold snapshots and content, as far as it tells. */
  readonly roots: readonly string[];
}

const snapshotterType = "io.containerd.snapshotter.v1";
const contentType = "io.containerd.content.v1";

/** Asks the daemon. A snapshotter that the node cannot use shows an error of its own and is left out. */
export async function storagePlugins(connection: Connection, scope: Scope): Promise<StoragePlugins> {
  const { plugins } = await connection.call({ operation: "list plugins" }, scope, (options) =>
    connection.clients.introspection.plugins({}, options),
  );
  const working = plugins.filter((plugin) => plugin.initErr === undefined);
  const snapshotters = working.filter((plugin) => plugin.type === snapshotterType).sort(usualFirst);
  const content = working.filter((plugin) => plugin.type === contentType);
  const roots = [...snapshotters, ...content].flatMap((plugin) => plugin.exports["root"] ?? []);
  return { snapshotters: snapshotters.map((plugin) => plugin.id), roots };
}

/** Of several roots on one filesystem the first is shown: let that be the one that is in use nearly everywhere. */
function usualFirst(left: { readonly id: string }, right: { readonly id: string }): number {
  return Number(right.id === "overlayfs") - Number(left.id === "overlayfs");
}
