// Reads what a namespace holds: names, blobs, snapshots, leases and running writes.
import { isDigest } from "../../image/digest.ts";
import type { ImageName } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import type { Scope } from "../wire/calls.ts";
import type { Connection } from "./connection.ts";
import { isExpired, isFlat, isRoot, type Labels, type References, referencesOf } from "./gc-labels.ts";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import type { Resource } from "./gen/containerd/services/leases/v1/leases_pb.js";
import { Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import type { Lease } from "./held.ts";
import { addBlob, addSnapshot, type Inventory } from "./inventory.ts";
import { whenGone } from "./when-gone.ts";
import {
  type BlobOnWire,
  decodeBlob,
  decodeName,
  decodeSnapshot,
  forEachRecord,
  type NameOnWire,
  type SnapshotOnWire,
} from "./wire-records.ts";

const leasesAtATime = 16;

/** A namespace of the daemon, and the calls to read it with. */
export interface Reading {
  readonly connection: Connection;
  readonly namespace: string;
  readonly scope: Scope;
}

/** The names of a namespace. */
export interface NameTable {
  /** In byte order. */
  readonly list: readonly ImageName[];
  readonly byName: ReadonlyMap<string, ImageName>;
}

/** The names. Those that did not change are the objects of the table before; when none did, it is that very table. */
export async function readNames(
  { connection, namespace, scope }: Reading,
  before: NameTable | undefined,
): Promise<NameTable> {
  const spec = { operation: "list images", namespace, deadline: "list" } as const;
  const list: ImageName[] = [];
  let changed = false;
  let labels: Labels = {};
  const add = (record: NameOnWire): void => {
    const known = before?.byName.get(record.name);
    // Nearly all names have the labels of the one before them: one copy is enough.
    if (!isSameLabels(labels, record.labels)) labels = record.labels;
    const name = known && isSameName(known, record) ? known : toImageName({ ...record, labels });
    if (name) list.push(name);
    changed ||= name !== known;
  };
  await connection.read(spec, scope, { method: Images.method.list, input: {} }, (message) => {
    forEachRecord(message, decodeName, add);
  });
  if (before && !changed && list.length === before.list.length) return before;
  return { list, byName: new Map(list.map((name) => [name.name, name])) };
}

function isSameName(known: ImageName, { target, labels, createdAt, updatedAt }: NameOnWire): boolean {
  const sameRecord = known.target === target && known.createdAt === createdAt && known.updatedAt === updatedAt;
  return sameRecord && isSameLabels(known.labels, labels);
}

function isSameLabels(one: Labels, other: Labels): boolean {
  let left = 0;
  for (const key in other) {
    if (!Object.hasOwn(one, key) || one[key] !== other[key]) return false;
    left += 1;
  }
  return left === Object.keys(one).length;
}

/** The record as a name; undefined when it points to nothing that is a digest. */
export function toImageName({ name, target, labels, createdAt, updatedAt }: NameOnWire): ImageName | undefined {
  if (!isDigest(target)) return undefined;
  return {
    name,
    target,
    labels,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

/** Adds every blob to `inventory`; nodes that did not change are those of `before`. */
export async function readBlobs(reading: Reading, inventory: Inventory, before: Inventory | undefined): Promise<void> {
  const now = Date.now();
  await forEachBlob(reading, ({ digest, size, labels }) => {
    if (!isDigest(digest)) return;
    const root = isRoot(labels, now);
    addBlob(inventory, { blob: { digest, size }, references: referencesOf(labels), root }, before);
  });
}

/** Adds every snapshot to `inventory`; nodes that did not change are those of `before`. */
export async function readSnapshots(
  reading: Reading,
  snapshotters: readonly string[],
  inventory: Inventory,
  before: Inventory | undefined,
): Promise<void> {
  const now = Date.now();
  const lists = snapshotters.map((snapshotter) =>
    forEachSnapshot(reading, { snapshotter, filters: [] }, ({ name, parent, committed, createdAt, labels }) => {
      const key = keyOf(snapshotter, name);
      const above = parent === "" ? undefined : keyOf(snapshotter, parent);
      const rest = { committed, createdAt, references: referencesOf(labels), root: isRoot(labels, now) };
      addSnapshot(inventory, { key, snapshotter, name, parent: above, ...rest }, before);
    }),
  );
  await Promise.all(lists);
}

/** The key of a snapshot across snapshotters. */
export function keyOf(snapshotter: string, name: string): string {
  return `${snapshotter}/${name}`;
}

/** Calls `visit` with every blob that the namespace sees. */
export async function forEachBlob(
  { connection, namespace, scope }: Reading,
  visit: (blob: BlobOnWire) => void,
): Promise<void> {
  const spec = { operation: "list content", namespace, deadline: "list" } as const;
  await connection.read(spec, scope, { method: Content.method.list, input: {} }, (message) => {
    forEachRecord(message, decodeBlob, visit);
  });
}

/** Calls `visit` with every snapshot of one snapshotter that matches one of the filters. */
export async function forEachSnapshot(
  { connection, namespace, scope }: Reading,
  request: { readonly snapshotter: string; readonly filters: string[] },
  visit: (snapshot: SnapshotOnWire) => void,
): Promise<void> {
  const spec = { operation: "list snapshots", namespace, deadline: "list" } as const;
  await connection.read(spec, scope, { method: Snapshots.method.list, input: request }, (message) => {
    forEachRecord(message, decodeSnapshot, visit);
  });
}

/** The leases that have not expired, with what they list. */
export async function readLeases({ connection, namespace, scope }: Reading): Promise<readonly Lease[]> {
  const { leases } = await connection.call(
    { operation: "list leases", namespace, deadline: "list" },
    scope,
    (options) => connection.clients.leases.list({}, options),
  );
  const now = Date.now();
  const living = leases.filter((lease) => !isExpired(lease.labels, now));
  return mapBounded(living, leasesAtATime, async ({ id, labels }) => {
    const listed = toReferences(await readResources({ connection, namespace, scope }, id));
    const named = referencesOf(labels);
    const blobs = [...listed.blobs, ...named.blobs];
    const snapshots = [...listed.snapshots, ...named.snapshots];
    return { id, flat: isFlat(labels), references: { blobs, snapshots } };
  });
}

/** Nothing for a lease that ended between the list and this question. */
async function readResources({ connection, namespace, scope }: Reading, id: string): Promise<readonly Resource[]> {
  const answer = await whenGone(
    connection.call({ operation: "list lease resources", namespace }, scope, (options) =>
      connection.clients.leases.listResources({ id }, options),
    ),
    undefined,
  );
  return answer?.resources ?? [];
}

/** `ingests` are covered by the running writes; `images` keeps no record from being deleted. */
function toReferences(resources: readonly Resource[]): References {
  const blobs: string[] = [];
  const snapshots: string[] = [];
  for (const { type, id } of resources) {
    if (type === "content") blobs.push(id);
    else if (type.startsWith("snapshots/")) snapshots.push(`${type.slice("snapshots/".length)}/${id}`);
  }
  return { blobs, snapshots };
}

/** Digests that running writes will have when they are done. */
export async function readExpected({ connection, namespace, scope }: Reading): Promise<readonly string[]> {
  const { statuses } = await connection.call({ operation: "list ingests", namespace }, scope, (options) =>
    connection.clients.content.listStatuses({}, options),
  );
  return statuses.flatMap((status) => (status.expected === "" ? [] : [status.expected]));
}
