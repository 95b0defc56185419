// Reads the daemon's own container records and the states of their tasks.
import type { ContainerState } from "../../image/node-state.ts";
import { digestIn, podOf } from "../cri/use.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type References, referencesOf } from "./gc-labels.ts";
import { Containers, type Container as WireContainer } from "./gen/containerd/services/containers/v1/containers_pb.js";
import { Status } from "./gen/containerd/services/tasks/v1/tasks_pb.js";
import type { Reading } from "./read-inventory.ts";

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
  /** The image ID that CRI wrote into the record, when it did. */
  readonly imageRef: string | undefined;
}

const kindLabel = "io.cri-containerd.kind";
const metadataExtension = "io.cri-containerd.container.metadata";

/** Every container of the namespace. Streams them, because a list of many does not fit into one message. */
export async function readContainerRecords(reading: Reading): Promise<readonly ContainerRecord[]> {
  try {
    return await streamRecords(reading);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "unsupported") return listRecords(reading);
    throw error;
  }
}

async function streamRecords({ connection, namespace, scope }: Reading): Promise<readonly ContainerRecord[]> {
  const spec = { operation: "list containers", namespace, deadline: "list" } as const;
  const messages = await connection.collect(spec, scope, { method: Containers.method.listStream, input: {} });
  return messages.flatMap(({ container }) => (container ? [toRecord(container)] : []));
}

async function listRecords({ connection, namespace, scope }: Reading): Promise<readonly ContainerRecord[]> {
  const answer = await connection.call(
    { operation: "list containers", namespace, deadline: "list" },
    scope,
    (options) => connection.clients.containers.list({}, options),
  );
  return answer.containers.map(toRecord);
}

function toRecord(container: WireContainer): ContainerRecord {
  const snapshotKey = container.snapshotKey === "" ? "" : `${container.snapshotter}/${container.snapshotKey}`;
  const named = referencesOf(container.labels);
  return {
    id: container.id,
    image: container.image,
    snapshotKey,
    references: snapshotKey === "" ? named : { blobs: named.blobs, snapshots: [...named.snapshots, snapshotKey] },
    kind: container.labels[kindLabel] === "sandbox" ? "sandbox" : "container",
    pod: podOf(container.labels),
    imageRef: imageRefIn(container.extensions[metadataExtension]?.value),
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
