// A container runtime in memory, with the semantics of a real one: names, one pool of content, collection on request.
import type { Digest } from "../../image/digest.ts";
import type { Instant, NodeState } from "../../image/node-state.ts";
import type {
  ContainerRuntime,
  CreationResult,
  ImageRemovalResult,
  NameRecord,
  RemovalResult,
  WholeImage,
} from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type CallGate, createCallGate } from "./call-gate.ts";
import { type ChangeFeed, createChangeFeed } from "./change-feed.ts";
import { controlsOf, type EmbeddedControls } from "./embedded-controls.ts";
import {
  blobExists,
  bytesOf,
  capabilitiesOf,
  type EmbeddedOptions,
  existingStore,
  filesystemOf,
  identityOf,
  imageBytesOf,
  type Memory,
  seenOf,
} from "./memory.ts";
import { type NamespaceStore, putName, storeOf, sweep } from "./namespace-store.ts";

/** What the embedded runtime starts from. A node's state will do; its pods are not the runtime's business. */
export type EmbeddedStart = Pick<NodeState, "runtime" | "namespaces" | "foreignBlobs">;

export type EmbeddedRuntime = ContainerRuntime & EmbeddedControls;

/** A runtime that holds what `state` says and forgets it at the end of the process. */
export function createEmbeddedRuntime(state: EmbeddedStart, options: EmbeddedOptions = {}): EmbeddedRuntime {
  const capabilities = capabilitiesOf(state.runtime, options.capabilities);
  const memory: Memory = {
    runtime: identityOf(state.runtime, capabilities),
    capabilities,
    stores: new Map(state.namespaces.map((namespace) => [namespace.name, storeOf(namespace)])),
    foreignBlobs: new Set(state.foreignBlobs),
    content: new Map(),
    options,
  };
  const gate = createCallGate();
  const feed = createChangeFeed();
  return { ...portTo(memory, gate, feed), ...controlsOf(memory, gate, feed) };
}

/** Content comes in pieces of this many bytes, as from a daemon. */
const pieceBytes = 64 << 10;

function portTo(memory: Memory, gate: CallGate, feed: ChangeFeed): ContainerRuntime {
  return {
    kind: memory.runtime.kind,
    capabilities: memory.capabilities,
    async info(options) {
      await gate.pass("info", options);
      const { kind, version } = memory.runtime;
      return { kind, version, apiVersions: { embedded: "v1" }, capabilities: memory.capabilities };
    },
    async observe(options) {
      await gate.pass("observe", options);
      return seenOf(memory);
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
      if (!memory.capabilities.untag) throw cannot("remove name", "this runtime removes images whole");
      const result = removeNameFrom(memory.stores.get(namespace), name, target);
      if (result === "removed") feed.publish({ kind: "image", namespace });
      return result;
    },
    async removeImage(namespace, image, options) {
      await gate.pass("removeImage", options);
      if (memory.capabilities.untag) throw cannot("remove image", "names are removed one by one here");
      const result = removeImageFrom(memory.stores.get(namespace), image);
      if (result.kind === "removed") feed.publish({ kind: "image", namespace });
      return result;
    },
    async createName(namespace, name, options) {
      await gate.pass("createName", options);
      if (!memory.capabilities.createNames) throw cannot("create name", "this runtime makes no names");
      const result = createNameIn(existingStore(memory, namespace, "create name"), name, memory.options.now?.());
      if (result === "created") feed.publish({ kind: "image", namespace });
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
    async *readBlob(namespace, digest, options) {
      await gate.pass("readBlob", options);
      const bytes = bytesOf(memory, namespace, digest);
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    },
    events: (signal) => eventsThrough(gate, feed.subscribe(signal), signal),
    async imageUsage(options) {
      await gate.pass("imageUsage", options);
      if (memory.capabilities.exactBytes) return undefined;
      return { bytes: imageBytesOf(memory), countedAt: memory.options.now?.() ?? Date.now() };
    },
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

function cannot(operation: string, why: string): RuntimeError {
  return new RuntimeError("unsupported", operation, why);
}

/** As CRI removes: the image with every name it has, unless it has got one that the caller does not know of. */
function removeImageFrom(store: NamespaceStore | undefined, { target, names }: WholeImage): ImageRemovalResult {
  const own = [...(store?.names.values() ?? [])].filter((name) => name.target === target).map(({ name }) => name);
  const unknown = own.find((name) => !names.includes(name));
  if (unknown !== undefined) return { kind: "renamed", name: unknown };
  for (const name of own) store?.names.delete(name);
  const nameless = store?.nameless.delete(target) ?? false;
  return own.length > 0 || nameless ? { kind: "removed", names: own } : { kind: "already-gone" };
}

function removeNameFrom(store: NamespaceStore | undefined, name: string, target: Digest): RemovalResult {
  const found = store?.names.get(name);
  if (found !== undefined && found.target !== target) return "moved";
  if (found !== undefined) return store?.names.delete(name) ? "removed" : "already-gone";
  // An image without any name is removed by its ID, as Docker does.
  const nameless = store?.nameless.has(target) && store.images.get(target)?.digests.some((digest) => digest === name);
  return nameless && store?.nameless.delete(target) ? "removed" : "already-gone";
}

function createNameIn(store: NamespaceStore, wanted: NameRecord, now: Instant | undefined): CreationResult {
  const { name, target, labels } = wanted;
  const found = store.names.get(name);
  if (found?.target === target) return "already-there";
  if (found !== undefined) throw new RuntimeError("conflict", "create name", `${name} points to ${found.target}`);
  if (!isNamed(store, target)) throw new RuntimeError("not-found", "create name", `no name points to ${target}`);
  putName(store, { name, target, labels, ...(now === undefined ? {} : { createdAt: now, updatedAt: now }) });
  return "created";
}

function isNamed(store: NamespaceStore, target: Digest): boolean {
  return [...store.names.values()].some((name) => name.target === target);
}

async function* eventsThrough<Event>(gate: CallGate, events: AsyncIterable<Event>, signal: AbortSignal) {
  if (signal.aborted) return;
  await gate.pass("events", { signal });
  yield* events;
}
