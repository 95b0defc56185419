// What the embedded runtime remembers across all its namespaces, and what can be told from it.
import type { Digest } from "../../image/digest.ts";
import type { Instant, NodeState } from "../../image/node-state.ts";
import type { Capabilities, FilesystemUsage, RuntimeState } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type NamespaceStore, stateOf } from "./namespace-store.ts";

export interface EmbeddedOptions {
  /** The time that new records carry. Without it they carry none. */
  readonly now?: () => Instant;
  /** What the runtime claims to be able to do. Default: everything. */
  readonly capabilities?: Partial<Capabilities>;
  /** The namespaces to look at; the others are there all the same. Default: all. */
  readonly namespaces?: readonly string[] | undefined;
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

export interface Memory {
  readonly runtime: NodeState["runtime"];
  readonly capabilities: Capabilities;
  readonly stores: Map<string, NamespaceStore>;
  readonly foreignBlobs: ReadonlySet<Digest>;
  /** The bytes of blobs, where somebody gave them. A captured node has none. */
  readonly content: Map<Digest, Uint8Array>;
  readonly options: EmbeddedOptions;
}

const everything: Capabilities = {
  untag: true,
  exactBytes: true,
  content: true,
  createNames: true,
  compareAndDelete: true,
  pinnedImages: true,
  namespaces: true,
  nameRecords: true,
  events: true,
  allContainers: true,
};

/** What a node in memory can do: everything but what the node it stands for could not, or what a test takes away. */
export function capabilitiesOf(
  { untag = true, exactBytes = true }: NodeState["runtime"],
  claimed: Partial<Capabilities> = {},
): Capabilities {
  return { ...everything, untag, exactBytes, createNames: untag, ...claimed };
}

/** The runtime's identity, which says where something is missing that plans depend on. */
export function identityOf(
  { kind, version, imageStore }: NodeState["runtime"],
  { untag, exactBytes }: Capabilities,
): NodeState["runtime"] {
  return {
    kind,
    version,
    ...(untag ? {} : { untag }),
    ...(exactBytes ? {} : { exactBytes }),
    ...(imageStore === undefined ? {} : { imageStore }),
  };
}

/** All there is. */
export function snapshotOf(memory: Memory): RuntimeState {
  return {
    runtime: memory.runtime,
    namespaces: [...memory.stores.values()].map(stateOf),
    foreignBlobs: [...memory.foreignBlobs],
  };
}

/** What a look sees. Throws `RuntimeError` when a namespace to look at does not exist. */
export function seenOf(memory: Memory): RuntimeState {
  const all = snapshotOf(memory);
  const chosen = memory.options.namespaces;
  if (chosen === undefined) return all;
  const seen = new Set(chosen.map((name) => existingStore(memory, name, "observe").name));
  const others = [...memory.stores.values()].filter(({ name }) => !seen.has(name));
  return {
    ...all,
    namespaces: all.namespaces.filter(({ name }) => seen.has(name)),
    foreignBlobs: [...new Set([...all.foreignBlobs, ...others.flatMap(({ blobs }) => [...blobs.keys()])])],
  };
}

/** The namespace. Throws `RuntimeError` that names those that exist. */
export function existingStore(memory: Memory, namespace: string, operation: string): NamespaceStore {
  const store = memory.stores.get(namespace);
  if (store !== undefined) return store;
  const known = [...memory.stores.keys()].join(", ") || "none";
  throw new RuntimeError("invalid-argument", operation, `no namespace "${namespace}": the runtime has ${known}`);
}

/** Blobs are one pool: one exists as long as any namespace sees it. */
export function blobExists(memory: Memory, digest: Digest): boolean {
  if (memory.foreignBlobs.has(digest)) return true;
  return [...memory.stores.values()].some((store) => store.blobs.has(digest));
}

/** The bytes of a blob that a namespace sees. Throws `RuntimeError`. */
export function bytesOf(memory: Memory, namespace: string, digest: Digest): Uint8Array {
  if (memory.content.size === 0) {
    throw new RuntimeError("unsupported", "read content", "this node is kept in memory and has no content to read");
  }
  const bytes = memory.stores.get(namespace)?.blobs.has(digest) ? memory.content.get(digest) : undefined;
  if (bytes === undefined) throw new RuntimeError("not-found", "read content", `no blob ${digest} in ${namespace}`);
  return bytes;
}

/** Bytes of all content. */
export function imageBytesOf(memory: Memory): number {
  return contentOf(memory).bytes;
}

export function filesystemOf(memory: Memory): FilesystemUsage {
  const { path, capacityBytes, otherBytes, inodes } = memory.options.filesystem ?? {};
  const { bytes, count } = contentOf(memory);
  return {
    path: path ?? "/var/lib/embedded",
    capacityBytes: capacityBytes ?? 100 * 1024 ** 3,
    usedBytes: bytes + (otherBytes ?? 0),
    inodes: inodes ?? 6_553_600,
    inodesUsed: count,
  };
}

/** Every byte once: blobs are one pool, layer snapshots belong to their namespace. */
function contentOf(memory: Memory): { readonly bytes: number; readonly count: number } {
  const pool = new Map<Digest, number>();
  let bytes = 0;
  let count = 0;
  for (const store of memory.stores.values()) {
    for (const blob of store.blobs.values()) pool.set(blob.digest, blob.size);
    for (const snapshot of store.snapshots.values()) bytes += snapshot.size;
    count += store.snapshots.size;
  }
  for (const size of pool.values()) bytes += size;
  return { bytes, count: count + pool.size };
}
