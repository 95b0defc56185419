// The port to a container runtime. Imports only the vocabulary; every adapter implements it and passes the contract tests.
import type { Digest } from "../image/digest.ts";
import type {
  Container,
  ImageName,
  ImageStore,
  Instant,
  NamespaceState,
  RuntimeIdentity,
  RuntimeKind,
} from "../image/node-state.ts";

/** What a call may cost and how it is stopped. Every call that leaves the process takes one. */
export interface CallOptions {
  /** Ends the call early. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the call fails with code `timeout`. Adapters have their own default. */
  readonly timeoutMs?: number;
}

/** How the node is looked at. */
export interface ObserveOptions extends CallOptions {
  /** False: nobody asks when names were recorded, and a runtime that tells this image by image need not be asked. Default true. */
  readonly recordTimes?: boolean;
  /**
   * False: nobody asks what the configs of images say (labels, platform, when it was built). A runtime that has to read them one
   * by one leaves them out where it can, and what an image is called and holds is told all the same. Default true.
   */
  readonly imageConfigs?: boolean;
}

/** How a name is removed. */
export interface RemoveOptions extends CallOptions {
  /** Leaves untagged parents alone where the runtime would delete them along with their last child. Default false. */
  readonly keepParents?: boolean;
  /** The image is to go with its last name, also where the runtime would keep it nameless for those built on it. Default false. */
  readonly whole?: boolean;
}

/** What a runtime can do; what it cannot is done another way or reported. */
export interface Capabilities {
  /** A single name can be removed while the image keeps others. */
  readonly untag: boolean;
  /** Sizes of blobs and layer snapshots are exact, so that plans predict the bytes that go. */
  readonly exactBytes: boolean;
  /** Blobs can be read, manifests and configs are known, and `remaining` tells exactly what still exists. */
  readonly content: boolean;
  /** A name can be made for an image. */
  readonly createNames: boolean;
  /** The runtime refuses to remove a name that no longer points to the expected target. */
  readonly compareAndDelete: boolean;
  readonly pinnedImages: boolean;
  readonly namespaces: boolean;
  /** A name is a record of its own, with labels and the time when it was made. */
  readonly nameRecords: boolean;
  /** Changes are told as they happen. Where they are not, only looking again shows them. */
  readonly events: boolean;
  /** Every container that runs from these images is told, whoever made it. */
  readonly allContainers: boolean;
}

export interface RuntimeInfo {
  readonly kind: RuntimeKind;
  readonly version: string;
  /** Docker Engines only. */
  readonly imageStore?: ImageStore;
  /** Version of each interface that the runtime answers on, e.g. `{ containerd: "v1", cri: "v1" }`. */
  readonly apiVersions: Readonly<Record<string, string>>;
  readonly capabilities: Capabilities;
}

/** What a runtime holds, without the pods. */
export interface RuntimeState {
  /** Says where `untag` or `exactBytes` is missing. */
  readonly runtime: RuntimeIdentity;
  readonly namespaces: readonly NamespaceState[];
  readonly foreignBlobs: readonly Digest[];
}

/** What became of the removal of one name. `already-gone` is success: somebody else was faster. */
export type RemovalResult = "removed" | "already-gone" | "moved";

/** What became of the removal of a whole image. */
export type ImageRemovalResult =
  /** `names`: those that it had right before and that went with it. */
  | { readonly kind: "removed"; readonly names: readonly string[] }
  /** Somebody else was faster. */
  | { readonly kind: "already-gone" }
  /** Nothing was removed: by now the image has a name that the caller does not know of. */
  | { readonly kind: "renamed"; readonly name: string };

/** An image to be removed whole, with all its names. */
export interface WholeImage {
  readonly id: Digest;
  readonly target: Digest;
  /** The names that the caller knows of. */
  readonly names: readonly string[];
  /** What the caller knows: an image that was pinned meanwhile is not removed. */
  readonly pinned: boolean;
}

/** What became of the wish for a name. `already-there` is success: the name points to the target. */
export type CreationResult = "created" | "already-there";

/** A name to be made. */
export interface NameRecord {
  readonly name: string;
  readonly target: Digest;
  /** Labels of the record. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What still exists of a list of blobs and layer snapshots. */
export interface Content {
  readonly blobs: readonly Digest[];
  readonly snapshots: readonly string[];
}

/** Something changed in the runtime. A hint to look again, never the truth itself. */
export type RuntimeEvent =
  | { readonly kind: "image"; readonly namespace: string }
  | { readonly kind: "container"; readonly namespace: string };

/** How much of the disk images take. */
export interface ImageUsage {
  readonly bytes: number;
  /** When it was counted: runtimes may count at intervals. */
  readonly countedAt: Instant;
  /** True where it was counted when asked, and where what a removal frees is free when the removal is answered. Default false. */
  readonly exactNow?: boolean;
}

/** A filesystem that holds images. Bytes and inode counts. */
export interface FilesystemUsage {
  readonly path: string;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

/** The port. All methods throw only `RuntimeError`. */
export interface ContainerRuntime {
  readonly kind: RuntimeKind;
  /** What is known without a call; `info` may know better of `compareAndDelete`. */
  readonly capabilities: Capabilities;
  /** Asks the runtime who it is. */
  info(options?: CallOptions): Promise<RuntimeInfo>;
  /** Everything that is known, read in an order that never misses a use: names before content and containers. */
  observe(options?: ObserveOptions): Promise<RuntimeState>;
  /** The containers of a namespace, read now. Used again right before a removal. */
  containers(namespace: string, options?: CallOptions): Promise<readonly Container[]>;
  /** The name as the runtime stores it now; undefined when there is none. */
  findName(namespace: string, name: string, options?: CallOptions): Promise<ImageName | undefined>;
  /**
   * Removes one name if it still points to `target`. Does not ask for a collection.
   * Runtimes without compare-and-delete read the name again first and accept the small race. Throws with code `unsupported`
   * where a single name cannot be removed.
   */
  removeName(namespace: string, name: string, target: Digest, options?: RemoveOptions): Promise<RemovalResult>;
  /**
   * Removes an image with all its names, where single names cannot be removed; elsewhere throws with code `unsupported`.
   * Looks right before whether the image has got other names, and afterwards whether it is really gone: when the runtime
   * says done and the image is still there, this throws with code `conflict`.
   */
  removeImage(namespace: string, image: WholeImage, options?: CallOptions): Promise<ImageRemovalResult>;
  /**
   * Makes a name for an image that has one already. Fails with code `not-found` when no name points to the target, with
   * `conflict` when the name points to something else, with `unsupported` where no names can be made.
   */
  createName(namespace: string, name: NameRecord, options?: CallOptions): Promise<CreationResult>;
  /** Makes the runtime free what nothing needs any more, and returns when that is done. */
  collect(options?: CallOptions): Promise<void>;
  /** Of the given blobs and layer snapshots of a namespace, those that still exist. Only where content can be read. */
  remaining(namespace: string, content: Content, options?: CallOptions): Promise<Content>;
  /**
   * The bytes of a blob as they are stored, in pieces, unchecked. A caller that has enough just stops. `timeoutMs` is the
   * longest wait for one piece. Throws with code `not-found` when there is no such blob, `unsupported` when the runtime
   * holds no content (a captured node).
   */
  readBlob(namespace: string, digest: Digest, options?: CallOptions): AsyncIterable<Uint8Array>;
  /**
   * Changes as they happen, until `signal` fires. Ends or throws when the runtime goes away. `kinds` are those that the caller
   * wants to hear of; where sorting them out costs more than it saves, others are told too. Default: all.
   */
  events(signal: AbortSignal, kinds?: readonly RuntimeEvent["kind"][]): AsyncIterable<RuntimeEvent>;
  /** How much of the disk images take, as the runtime counts it; undefined where it does not. */
  imageUsage(options?: CallOptions): Promise<ImageUsage | undefined>;
  /** The filesystems that hold images, as far as they can be seen from here. */
  filesystems(options?: CallOptions): Promise<readonly FilesystemUsage[]>;
  close(): Promise<void>;
}
