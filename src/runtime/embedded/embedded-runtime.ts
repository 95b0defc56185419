// A container runtime in memory, with the semantics of a real one: names, one pool of content, collection on request.
import type { Digest } from "../../image/digest.ts";
import type { Container, ContainerState, Image, Instant, NodeState } from "../../image/node-state.ts";
import type { Capabilities, ContainerRuntime, RemovalResult, RuntimeState } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type CallGate, createCallGate } from "./call-gate.ts";
import { type ChangeFeed, createChangeFeed } from "./change-feed.ts";
import {
  bareImage,
  dropContainer,
  emptyStore,
  type NamespaceStore,
  putContainer,
  putImage,
  putName,
  stateOf,
  storeOf,
  sweep,
} from "./namespace-store.ts";

/** What the embedded runtime starts from. A node's state will do; its pods are not the runtime's business. */
export type EmbeddedStart = Pick<NodeState, "runtime" | "namespaces" | "foreignBlobs">;

export interface EmbeddedOptions {
  /** The time that new records carry. Without it they carry none. */
  readonly now?: () => Instant;
  /** What the runtime claims to be able to do. Default: everything. */
  readonly capabilities?: Partial<Capabilities>;
  readonly filesystem?: {
    /** Default `/var/lib/embedded`. */
    readonly path?: string;
    /** Bytes. Default 100 GiB. */
    readonly capacityBytes?: number;
    /** Bytes used by other things than images. Default 0. */
    readonly otherBytes?: number;
    /** Default 6,553,600. Every blob and every layer snapshot counts as one. */
    readonly inodes?: number;
  };
}

/** An image to be added; everything but the target has a default. */
export type NewImage = Pick<Image, "target"> & Partial<Image>;

/** A name to be written, as text or with the labels of its record. */
export type NewName = string | { readonly name: string; readonly labels?: Readonly<Record<string, string>> };

/** A container to be added; everything but the ID has a default. */
export type NewContainer = Pick<Container, "id"> & Partial<Container>;

/** What other users of a runtime do to it, and the faults that tests need. All changes happen at once. */
export interface EmbeddedControls extends Pick<CallGate, "failNext" | "beforeNext" | "hang" | "callCount"> {
  /** What is there now, without a call. */
  snapshot(): RuntimeState;
  /** Brings an image's content and points the names to it, as a pull does. Makes the namespace when needed. */
  addImage(namespace: string, image: NewImage, names: readonly NewName[]): void;
  /** Points a name, new or not, to a target. The target's image must still be there. */
  tag(namespace: string, name: NewName, target: Digest): void;
  addContainer(namespace: string, container: NewContainer): void;
  /** Tells whether there was such a container. */
  removeContainer(namespace: string, id: string): boolean;
  setContainerState(namespace: string, id: string, state: ContainerState): void;
}

export type EmbeddedRuntime = ContainerRuntime & EmbeddedControls;

/** A runtime that holds what `state` says and forgets it at the end of the process. */
export function createEmbeddedRuntime(state: EmbeddedStart, options: EmbeddedOptions = {}): EmbeddedRuntime {
  const memory: Memory = {
    runtime: state.runtime,
    stores: new Map(state.namespaces.map((namespace) => [namespace.name, storeOf(namespace)])),
    foreignBlobs: new Set(state.foreignBlobs),
    options,
  };
  const gate = createCallGate();
  const feed = createChangeFeed();
  return { ...portTo(memory, gate, feed), ...controlsOf(memory, gate, feed) };
}

interface Memory {
  readonly runtime: NodeState["runtime"];
  readonly stores: Map<string, NamespaceStore>;
  readonly foreignBlobs: ReadonlySet<Digest>;
  readonly options: EmbeddedOptions;
}

const fullCapabilities: Capabilities = {
  untag: true,
  exactBytes: true,
  compareAndDelete: true,
  pinnedImages: true,
  namespaces: true,
};

function portTo(memory: Memory, gate: CallGate, feed: ChangeFeed): ContainerRuntime {
  return {
    kind: memory.runtime.kind,
    async info(options) {
      await gate.pass("info", options);
      const capabilities = { ...fullCapabilities, ...memory.options.capabilities };
      return { ...memory.runtime, apiVersions: { embedded: "v1" }, capabilities };
    },
    async observe(options) {
      await gate.pass("observe", options);
      return snapshotOf(memory);
    },
    async containers(namespace, options) {
      await gate.pass("containers", options);
      return [...existingStore(memory, namespace, "containers").containers.values()];
    },
    async findName(namespace, name, options) {
      await gate.pass("findName", options);
      return memory.stores.get(namespace)?.names.get(name);
    },
    async removeName(namespace, name, target, options) {
      await gate.pass("removeName", options);
      const result = removeNameFrom(memory.stores.get(namespace), name, target);
      if (result === "removed") feed.publish({ kind: "image", namespace });
      return result;
    },
    async collect(options) {
      await gate.pass("collect", options);
      for (const store of memory.stores.values()) sweep(store);
    },
    async remaining(namespace, content, options) {
      await gate.pass("remaining", options);
      const snapshots = memory.stores.get(namespace)?.snapshots;
      return {
        blobs: content.blobs.filter((digest) => blobExists(memory, digest)),
        snapshots: content.snapshots.filter((key) => snapshots?.has(key) ?? false),
      };
    },
    events: (signal) => eventsThrough(gate, feed.subscribe(signal), signal),
    async filesystems(options) {
      await gate.pass("filesystems", options);
      return [filesystemOf(memory)];
    },
    async close() {
      gate.close();
      feed.close();
    },
  };
}

function controlsOf(memory: Memory, gate: CallGate, feed: ChangeFeed): EmbeddedControls {
  const changed = (kind: "image" | "container", namespace: string) => feed.publish({ kind, namespace });
  return {
    failNext: gate.failNext,
    beforeNext: gate.beforeNext,
    hang: gate.hang,
    callCount: gate.callCount,
    snapshot: () => snapshotOf(memory),
    addImage(namespace, image, names) {
      const store = memory.stores.get(namespace) ?? emptyStore(namespace);
      memory.stores.set(namespace, store);
      putImage(store, completed(image));
      for (const name of names) writeName(memory, store, name, image.target);
      if (names.length === 0) store.nameless.add(image.target);
      changed("image", namespace);
    },
    tag(namespace, name, target) {
      const store = existingStore(memory, namespace, "tag");
      if (!store.images.has(target)) throw new RuntimeError("not-found", "tag", `no image ${target} in ${namespace}`);
      writeName(memory, store, name, target);
      changed("image", namespace);
    },
    addContainer(namespace, container) {
      const store = memory.stores.get(namespace) ?? emptyStore(namespace);
      memory.stores.set(namespace, store);
      putContainer(store, { ...unknownContainer, ...container });
      changed("container", namespace);
    },
    removeContainer(namespace, id) {
      const there = dropContainer(existingStore(memory, namespace, "remove container"), id);
      if (there) changed("container", namespace);
      return there;
    },
    setContainerState(namespace, id, containerState) {
      const { containers } = existingStore(memory, namespace, "set container state");
      const container = containers.get(id);
      if (container === undefined) throw new RuntimeError("not-found", "set container state", `no container ${id}`);
      containers.set(id, { ...container, state: containerState });
      changed("container", namespace);
    },
  };
}

const unknownContainer: Omit<Container, "id"> = {
  image: "",
  imageId: "",
  otherImageIds: [],
  state: "running",
  kind: "container",
  snapshotKey: "",
  imageMounts: [],
};

function removeNameFrom(store: NamespaceStore | undefined, name: string, target: Digest): RemovalResult {
  const found = store?.names.get(name);
  if (found !== undefined && found.target !== target) return "moved";
  if (found !== undefined) return store?.names.delete(name) ? "removed" : "already-gone";
  // An image without any name is removed by its ID, as Docker does.
  const nameless = store?.nameless.has(target) && store.images.get(target)?.digests.some((digest) => digest === name);
  return nameless && store?.nameless.delete(target) ? "removed" : "already-gone";
}

function snapshotOf(memory: Memory): RuntimeState {
  return {
    runtime: memory.runtime,
    namespaces: [...memory.stores.values()].map(stateOf),
    foreignBlobs: [...memory.foreignBlobs],
  };
}

function existingStore(memory: Memory, namespace: string, operation: string): NamespaceStore {
  const store = memory.stores.get(namespace);
  if (store !== undefined) return store;
  const known = [...memory.stores.keys()].join(", ") || "none";
  throw new RuntimeError("invalid-argument", operation, `no namespace "${namespace}": the runtime has ${known}`);
}

function blobExists(memory: Memory, digest: Digest): boolean {
  if (memory.foreignBlobs.has(digest)) return true;
  return [...memory.stores.values()].some((store) => store.blobs.has(digest));
}

function writeName(memory: Memory, store: NamespaceStore, given: NewName, target: Digest): void {
  const { name, labels = {} } = typeof given === "string" ? { name: given } : given;
  const now = memory.options.now?.();
  const createdAt = store.names.get(name)?.createdAt ?? now;
  putName(store, {
    name,
    target,
    labels,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(now === undefined ? {} : { updatedAt: now }),
  });
}

function completed(image: NewImage): Image {
  const whole = { ...bareImage(image.target), ...image };
  const digests = [...new Set([image.target, ...whole.digests, whole.id])];
  return { ...whole, digests };
}

function filesystemOf(memory: Memory) {
  const { path, capacityBytes, otherBytes, inodes } = memory.options.filesystem ?? {};
  const pool = new Map<Digest, number>();
  let usedBytes = otherBytes ?? 0;
  let inodesUsed = 0;
  for (const store of memory.stores.values()) {
    for (const blob of store.blobs.values()) pool.set(blob.digest, blob.size);
    for (const snapshot of store.snapshots.values()) usedBytes += snapshot.size;
    inodesUsed += store.snapshots.size;
  }
  for (const size of pool.values()) usedBytes += size;
  return {
    path: path ?? "/var/lib/embedded",
    capacityBytes: capacityBytes ?? 100 * 1024 ** 3,
    usedBytes,
    inodes: inodes ?? 6_553_600,
    inodesUsed: inodesUsed + pool.size,
  };
}

async function* eventsThrough<Event>(gate: CallGate, events: AsyncIterable<Event>, signal: AbortSignal) {
  if (signal.aborted) return;
  await gate.pass("events", { signal });
  yield* events;
}
