// Between a node file and the domain: defaults are filled in on the way in, and left out on the way back.
import type {
  Container,
  Image,
  ImageName,
  Instant,
  LayerSnapshot,
  NamespaceState,
  NodeState,
  Pod,
} from "../image/node-state.ts";
import type { NodeFile } from "./node-file-schema.ts";

type FileNamespace = NodeFile["namespaces"][number];
type Entry<List> = NonNullable<List> extends readonly (infer Item)[] ? Item : never;

/** The state that a checked node file describes. `now` stands in where the file does not say when it was taken. */
export function stateFromFile(file: NodeFile, now: Instant): NodeState {
  return {
    takenAt: file.takenAt ?? now,
    runtime: {
      kind: file.runtime?.kind ?? "embedded",
      version: file.runtime?.version ?? "unknown",
      ...known({
        untag: file.runtime?.untag,
        exactBytes: file.runtime?.exactBytes,
        imageStore: file.runtime?.imageStore,
      }),
    },
    namespaces: file.namespaces.map(namespaceFromFile),
    foreignBlobs: file.foreignBlobs ?? [],
    pods: file.pods?.map(podFromFile) ?? null,
  };
}

/** A node's state as the JSON value of a node file, fields in their documented order. */
export function fileFromState(state: NodeState): Record<string, unknown> {
  return {
    takenAt: timeText(state.takenAt),
    runtime: fileRuntime(state.runtime),
    namespaces: state.namespaces.map((namespace) => ({
      name: namespace.name,
      names: namespace.names.map(fileName),
      images: namespace.images.map(fileImage),
      containers: namespace.containers.map(fileContainer),
      held: { blobs: namespace.held.blobs, snapshots: namespace.held.snapshots },
    })),
    foreignBlobs: state.foreignBlobs,
    pods: state.pods?.map(filePod) ?? null,
  };
}

function fileRuntime({ kind, version, untag, exactBytes, imageStore }: NodeState["runtime"]) {
  return { kind, version, untag, exactBytes, imageStore };
}

function namespaceFromFile(file: FileNamespace): NamespaceState {
  const containers = file.containers ?? [];
  const taken = new Set(containers.map((container) => container.id));
  return {
    name: file.name ?? "default",
    names: file.names?.map(nameFromFile) ?? [],
    images: file.images?.map(imageFromFile) ?? [],
    containers: containers.map((container, index) =>
      containerFromFile(container, container.id || freeId(index, taken)),
    ),
    held: { blobs: file.held?.blobs ?? [], snapshots: file.held?.snapshots ?? [] },
  };
}

function freeId(index: number, taken: ReadonlySet<unknown>): string {
  const id = `container-${index + 1}`;
  return taken.has(id) ? `${id}-unnamed` : id;
}

function nameFromFile({ name, target, createdAt, updatedAt, labels }: Entry<FileNamespace["names"]>): ImageName {
  return { name, target, labels: labels ?? {}, ...known({ createdAt, updatedAt }) };
}

function imageFromFile(file: Entry<FileNamespace["images"]>): Image {
  const { target, labels, createdAt, parent, platform } = file;
  const id = file.id ?? target;
  const digests = [...new Set([...(file.digests ?? []), target, id])];
  // Kinds belong to the digests as they were written: where these had to be completed, they say nothing any more.
  const asWritten = digests.length === file.digests?.length && digests.every((one, i) => one === file.digests?.[i]);
  const digestKinds = asWritten && file.digestKinds?.length === digests.length ? file.digestKinds : undefined;
  return {
    target,
    id,
    digests,
    pinned: file.pinned ?? false,
    blobs: file.blobs ?? [],
    snapshots: file.snapshots?.map(snapshotFromFile) ?? [],
    ...known({ digestKinds, platform, labels, createdAt, parent }),
  };
}

function snapshotFromFile({
  key,
  size,
  inodes,
  parent,
}: Entry<Entry<FileNamespace["images"]>["snapshots"]>): LayerSnapshot {
  return { key, size, ...known({ inodes, parent: parent || undefined }) };
}

function containerFromFile(file: Entry<FileNamespace["containers"]>, id: string): Container {
  return {
    id,
    image: file.image ?? "",
    imageId: file.imageId ?? "",
    otherImageIds: file.otherImageIds ?? [],
    state: file.state,
    kind: file.kind ?? "container",
    snapshotKey: file.snapshotKey ?? "",
    imageMounts: file.imageMounts ?? [],
    ...known({ pod: file.pod, createdAt: file.createdAt }),
  };
}

function podFromFile(file: Entry<NodeFile["pods"]>): Pod {
  return {
    namespace: file.namespace ?? "default",
    name: file.name,
    uid: file.uid ?? "",
    phase: file.phase ?? "",
    images: file.images ?? [],
    imageIds: file.imageIds ?? [],
  };
}

function fileName({ name, target, createdAt, updatedAt, labels }: ImageName) {
  return { name, target, createdAt: timeText(createdAt), updatedAt: timeText(updatedAt), labels: sorted(labels) };
}

function fileImage(image: Image) {
  return {
    target: image.target,
    id: image.id,
    digests: image.digests,
    digestKinds: image.digestKinds,
    platform: image.platform,
    labels: image.labels === undefined ? undefined : sorted(image.labels),
    createdAt: timeText(image.createdAt),
    pinned: image.pinned,
    parent: image.parent,
    blobs: image.blobs.map(({ digest, size }) => ({ digest, size })),
    snapshots: image.snapshots.map(({ key, size, inodes, parent }) => ({ key, size, inodes, parent })),
  };
}

function fileContainer(container: Container) {
  const { id, image, imageId, otherImageIds, state, kind, snapshotKey, imageMounts, pod } = container;
  const createdAt = timeText(container.createdAt);
  return { id, image, imageId, otherImageIds, state, kind, snapshotKey, imageMounts, pod, createdAt };
}

function filePod({ namespace, name, uid, phase, images, imageIds }: Pod) {
  return { namespace, name, uid, phase, images, imageIds };
}

/** The config of an image may say any year, and one beyond 0 to 9999 cannot be written as RFC 3339: then the time is not known. */
function timeText(instant: Instant | undefined): string | undefined {
  const text = instant === undefined ? undefined : new Date(instant).toISOString();
  return /^\d{4}-/.test(text ?? "") ? text : undefined;
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
}

type Known<Fields> = { [Key in keyof Fields]?: NonNullable<Fields[Key]> };

/** The fields that have a value: in the domain a field that is not known is absent. */
function known<Fields extends object>(fields: Fields): Known<Fields> {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(there) as Known<Fields>;
}
