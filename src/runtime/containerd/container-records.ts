// Reads the daemon's own container records and the states of their tasks.
import type { ContainerState, Instant } from "../../image/node-state.ts";
import { digestIn, podOf } from "../cri/use.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type References, referencesOf } from "./gc-labels.ts";
import { Containers } from "./gen/containerd/services/containers/v1/containers_pb.js";
import { Status } from "./gen/containerd/services/tasks/v1/tasks_pb.js";
import type { Reading } from "./read-inventory.ts";
import { type ContainerOnWire, decodeContainer, forEachRecord } from "./wire-records.ts";

/** A container record, without the runtime spec. */
export interface ContainerRecord {
  readonly id: string;
  /** Name of the image record that the container was made from, as text; the record may be gone. */
  readonly image: string;
  /** `<snapshotter>/<key>`, empty when the container has no snapshot. */
  readonly snapshotKey: string;
  /** What its own snapshot and its labels keep alive. */
  readonly references: References;
  readonly kind: "container" | "sandbox";
  readonly pod: string | undefined;
  readonly createdAt: Instant | undefined;
  /** The image ID that CRI wrote into the record, when it did. */
  readonly imageRef: string | undefined;
}

const kindLabel = "io.cri-containerd.kind";

/** Every container of the namespace. Streams them, because a list of many does not fit into one message. */
export async function readContainerRecords(reading: Reading): Promise<readonly ContainerRecord[]> {
  try {
    return await readRecords(reading, Containers.method.listStream);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "unsupported") {
      return readRecords(reading, Containers.method.list);
    }
    throw error;
  }
}

/** Both answers hold containers in field 1: each message of the stream one, the list all of them. */
async function readRecords(
  { connection, namespace, scope }: Reading,
  method: typeof Containers.method.listStream | typeof Containers.method.list,
): Promise<readonly ContainerRecord[]> {
  const spec = { operation: "list containers", namespace, deadline: "list" } as const;
  const records: ContainerRecord[] = [];
  await connection.read(spec, scope, { method, input: {} }, (message) => {
    forEachRecord(message, decodeContainer, (container) => records.push(toRecord(container)));
  });
  return records;
}

function toRecord(container: ContainerOnWire): ContainerRecord {
  const snapshotKey = container.snapshotKey === "" ? "" : `${container.snapshotter}/${container.snapshotKey}`;
  const named = referencesOf(container.labels);
  return {
    id: container.id,
    image: container.image,
    snapshotKey,
    references: snapshotKey === "" ? named : { blobs: named.blobs, snapshots: [...named.snapshots, snapshotKey] },
    kind: container.labels[kindLabel] === "sandbox" ? "sandbox" : "container",
    pod: podOf(container.labels),
    createdAt: container.createdAt,
    imageRef: imageRefIn(container.criMetadata),
  };
}

/** CRI keeps its own metadata as JSON: `{"Version": ..., "Metadata": {"ImageRef": "sha256:...", ...}}`. */
export function imageRefIn(metadata: Uint8Array | undefined): string | undefined {
  if (!metadata || metadata.length === 0) return undefined;
  try {
    const json = JSON.parse(new TextDecoder().decode(metadata)) as { Metadata?: { ImageRef?: unknown } } | null;
    const imageRef = json?.Metadata?.ImageRef;
    return typeof imageRef === "string" ? digestIn(imageRef) : undefined;
  } catch {
    return undefined;
  }
}

const states: Readonly<Record<Status, ContainerState>> = {
  [Status.UNKNOWN]: "unknown",
  [Status.CREATED]: "created",
  [Status.RUNNING]: "running",
  [Status.STOPPED]: "exited",
  [Status.PAUSED]: "paused",
  [Status.PAUSING]: "paused",
};

/** The state of every container that has a task, by container ID. */
export async function readTaskStates({
  connection,
  namespace,
  scope,
}: Reading): Promise<ReadonlyMap<string, ContainerState>> {
  const { tasks } = await connection.call({ operation: "list tasks", namespace, deadline: "list" }, scope, (options) =>
    connection.clients.tasks.list({}, options),
  );
  return new Map(tasks.map((task) => [task.id || task.containerId, states[task.status] ?? "unknown"]));
}
