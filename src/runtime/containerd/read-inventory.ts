// Reads what a namespace holds: names, blobs, snapshots, leases and running writes.
import { isDigest } from "../../image/digest.ts";
import type { ImageName } from "../../image/node-state.ts";
import { RuntimeError } from "../runtime-error.ts";
import { mapBounded } from "./bounded.ts";
import type { Connection, Scope } from "./connection.ts";
import { isExpired, isFlat, isRoot, type References, referencesOf } from "./gc-labels.ts";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import type { Resource } from "./gen/containerd/services/leases/v1/leases_pb.js";
import { Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import type { Lease } from "./held.ts";
import { emptyInventory, type Inventory, type SnapshotNode } from "./inventory.ts";
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

/** The names, in byte order. */
export async function readNames({ connection, namespace, scope }: Reading): Promise<readonly ImageName[]> {
  const spec = { operation: "list images", namespace, deadline: "list" } as const;
  const names: ImageName[] = [];
  const add = (record: NameOnWire): void => {
    const name = toImageName(record);
    if (name) names.push(name);
  };
  await connection.read(spec, scope, { method: Images.method.list, input: {} }, (message) => {
    forEachRecord(message, decodeName, add);
  });
  return names;
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

/** Every blob and every snapshot. */
export async function readInventory(reading: Reading, snapshotters: readonly string[]): Promise<Inventory> {
  const inventory = emptyInventory();
  const now = Date.now();
  const blobs = forEachBlob(reading, (info) => addBlob(inventory, info, now));
  const snapshots = snapshotters.map((snapshotter) =>
    forEachSnapshot(reading, { snapshotter, filters: [] }, (info) => {
      const node = toSnapshotNode(snapshotter, info, now);
      inventory.snapshots.set(node.key, node);
    }),
  );
  await Promise.all([blobs, ...snapshots]);
  return inventory;
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

function addBlob(inventory: Inventory, { digest, size, labels }: BlobOnWire, now: number): void {
  if (!isDigest(digest)) return;
  inventory.blobs.set(digest, {
    blob: { digest, size },
    references: referencesOf(labels),
    root: isRoot(labels, now),
    visit: 0,
  });
}

export function toSnapshotNode(snapshotter: string, snapshot: SnapshotOnWire, now: number): SnapshotNode {
  const { name, parent, committed, createdAt, labels } = snapshot;
  return {
    key: `${snapshotter}/${name}`,
    snapshotter,
    name,
    parent: parent === "" ? undefined : `${snapshotter}/${parent}`,
    committed,
    createdAt,
    references: referencesOf(labels),
    root: isRoot(labels, now),
    visit: 0,
  };
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

async function readResources({ connection, namespace, scope }: Reading, id: string): Promise<readonly Resource[]> {
  try {
    const answer = await connection.call({ operation: "list lease resources", namespace }, scope, (options) =>
      connection.clients.leases.listResources({ id }, options),
    );
    return answer.resources;
  } catch (error) {
    // The lease ended between the list and this question.
    if (error instanceof RuntimeError && error.code === "not-found") return [];
    throw error;
  }
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
