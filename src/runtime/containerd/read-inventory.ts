// Reads what a namespace holds: names, blobs, snapshots, leases and running writes.
import { toDigest } from "../../image/digest.ts";
import type { ImageName } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Scope } from "../wire/calls.ts";
import type { Connection } from "./connection.ts";
import { isExpired, isFlat, isRoot, type References, referencesOf } from "./gc-labels.ts";
import { type Info as BlobInfo, Content } from "./gen/containerd/services/content/v1/content_pb.js";
import { type Image as ImageRecord, Images } from "./gen/containerd/services/images/v1/images_pb.js";
import type { Resource } from "./gen/containerd/services/leases/v1/leases_pb.js";
import { Kind, type Info as SnapshotInfo, Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import type { Lease } from "./held.ts";
import { emptyInventory, type Inventory, type SnapshotNode } from "./inventory.ts";
import { toInstant } from "./timestamp.ts";

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
  const messages = await connection.collect(spec, scope, { method: Images.method.list, input: {} });
  return messages.flatMap(({ images }) => images.flatMap((record) => toImageName(record) ?? []));
}

/** The record as a name; undefined when it points to nothing that is a digest. */
export function toImageName(record: ImageRecord): ImageName | undefined {
  const target = toDigest(record.target?.digest ?? "");
  if (!target) return undefined;
  const createdAt = toInstant(record.createdAt);
  const updatedAt = toInstant(record.updatedAt);
  return {
    name: record.name,
    target,
    labels: record.labels,
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
  visit: (info: BlobInfo) => void,
): Promise<void> {
  const spec = { operation: "list content", namespace, deadline: "list" } as const;
  const messages = await connection.collect(spec, scope, { method: Content.method.list, input: {} });
  for (const message of messages) message.info.forEach(visit);
}

/** Calls `visit` with every snapshot of one snapshotter that matches one of the filters. */
export async function forEachSnapshot(
  { connection, namespace, scope }: Reading,
  request: { readonly snapshotter: string; readonly filters: string[] },
  visit: (info: SnapshotInfo) => void,
): Promise<void> {
  const spec = { operation: "list snapshots", namespace, deadline: "list" } as const;
  const messages = await connection.collect(spec, scope, { method: Snapshots.method.list, input: request });
  for (const message of messages) message.info.forEach(visit);
}

function addBlob(inventory: Inventory, info: BlobInfo, now: number): void {
  const digest = toDigest(info.digest);
  if (!digest) return;
  const blob = { digest, size: Number(info.size) };
  inventory.blobs.set(digest, {
    blob,
    references: referencesOf(info.labels),
    root: isRoot(info.labels, now),
    visit: 0,
  });
}

export function toSnapshotNode(snapshotter: string, info: SnapshotInfo, now: number): SnapshotNode {
  return {
    key: `${snapshotter}/${info.name}`,
    snapshotter,
    name: info.name,
    parent: info.parent === "" ? undefined : `${snapshotter}/${info.parent}`,
    committed: info.kind === Kind.COMMITTED,
    createdAt: info.createdAt ? `${info.createdAt.seconds}.${info.createdAt.nanos}` : "",
    references: referencesOf(info.labels),
    root: isRoot(info.labels, now),
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
