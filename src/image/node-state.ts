// The state of one node as it was seen: names, images, containers, pods. Immutable; every stage after observe reads it.
import type { Digest } from "./digest.ts";

/** Milliseconds since the Unix epoch. */
export type Instant = number;

/** The runtimes that prunelet speaks to. */
export type RuntimeKind = "containerd" | "cri" | "docker" | "embedded";

/**
 * How a Docker Engine keeps images. `graph-driver`: the image ID is the digest of the config, and a digest reference can be
 * removed alone. `containerd`: the image ID is what the names point to, and a digest reference goes with the tags of its repository.
 */
export type ImageStore = "graph-driver" | "containerd";

/** Which runtime a node has, and what a plan must know of it. */
export interface RuntimeIdentity {
  readonly kind: RuntimeKind;
  readonly version: string;
  /** False when a single name cannot be removed: only whole images go. Default true. */
  readonly untag?: boolean;
  /** False when sizes are what the runtime tells, with shared content counted in every image. Default true. */
  readonly exactBytes?: boolean;
  /** Docker Engines only. */
  readonly imageStore?: ImageStore;
}

/** A name: one entry of the runtime's image store, a tag or a digest reference or an ID name that points to an image. */
export interface ImageName {
  /** The name exactly as the runtime stores it. Compared byte for byte, never rewritten. */
  readonly name: string;
  /** What the name points to: the digest of a manifest or of an index. */
  readonly target: Digest;
  /** When the runtime created the record; undefined when it does not tell. */
  readonly createdAt?: Instant;
  /** When the runtime last wrote the record (a pull of the same name counts); undefined when it does not tell. */
  readonly updatedAt?: Instant;
  /** The labels of the record, not those of the image's config. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A blob of the content store that an image needs. */
export interface Blob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A layer unpacked by a snapshotter. */
export interface LayerSnapshot {
  /** The runtime's key, unique in its namespace (containerd: `<snapshotter>/<chain ID>`). */
  readonly key: string;
  /** Bytes of this layer alone. */
  readonly size: number;
  /** Inodes of this layer alone; absent when the runtime does not tell. */
  readonly inodes?: number;
  readonly parent?: string;
}

/** What a digest of an image names. */
export type DigestKind = "index" | "manifest" | "config";

/** An image: content, identified by its digests. One per namespace and target. */
export interface Image {
  /** The digest that the image's names point to: its index, or its manifest when there is no index. */
  readonly target: Digest;
  /** The image ID: the config digest of the node's platform; the target when no config could be read. */
  readonly id: Digest;
  /** Every digest that means this image: target, manifests, configs. Holds `target` and `id`. */
  readonly digests: readonly Digest[];
  /** What each of `digests` names, in the same order. Undefined when the runtime does not tell. */
  readonly digestKinds?: readonly DigestKind[];
  /** `os/architecture` of the config that is the image ID, e.g. `linux/amd64`. */
  readonly platform?: string;
  /** The labels of the image's config. Undefined when no config could be read. */
  readonly labels?: Readonly<Record<string, string>>;
  /** When the image was built, from its config. */
  readonly createdAt?: Instant;
  /** True when the runtime marks the image as pinned. */
  readonly pinned: boolean;
  /** Target of the parent image (label `org.mobyproject.image.parent`). */
  readonly parent?: Digest;
  /** Every blob that the runtime keeps because of this image. */
  readonly blobs: readonly Blob[];
  /** Every layer snapshot that the runtime keeps because of this image, parents before children. */
  readonly snapshots: readonly LayerSnapshot[];
}

export type ContainerState = "created" | "running" | "paused" | "exited" | "unknown";

/** A container in any state, or the sandbox (pause) container of a pod. Every one of them uses its image. */
export interface Container {
  readonly id: string;
  /** The image as it was spelled when the container was made; empty when nobody recorded it. */
  readonly image: string;
  /** The image that the container runs, as the runtime resolved it: any digest of the image; empty when unknown. */
  readonly imageId: string;
  /** More digests that the container's content may belong to, when the runtime cannot tell which one. */
  readonly otherImageIds: readonly string[];
  readonly state: ContainerState;
  readonly kind: "container" | "sandbox";
  /** Key of the container's own writable snapshot, in the form of `LayerSnapshot.key`; empty when it has none. */
  readonly snapshotKey: string;
  /** Images mounted into the container as volumes, as spelled or by digest. */
  readonly imageMounts: readonly string[];
  /** `namespace/name` of the pod that the container belongs to, when the runtime tells. */
  readonly pod?: string;
  /** When the container was made, when the runtime tells. */
  readonly createdAt?: Instant;
}

/** What one namespace of the runtime holds. */
export interface NamespaceState {
  readonly name: string;
  readonly names: readonly ImageName[];
  readonly images: readonly Image[];
  readonly containers: readonly Container[];
  /** What something other than an image keeps alive: containers, leases, running pulls. Removing images never frees it. */
  readonly held: { readonly blobs: readonly Digest[]; readonly snapshots: readonly string[] };
}

/** A pod bound to this node and what it asks for. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  /** Images as spelled in the spec: containers, init containers, ephemeral containers, image volumes. */
  readonly images: readonly string[];
  /** Image IDs from the status, in whatever form the runtime reports them. */
  readonly imageIds: readonly string[];
}

/** Everything that was seen of a node at one moment. */
export interface NodeState {
  readonly takenAt: Instant;
  readonly runtime: RuntimeIdentity;
  readonly namespaces: readonly NamespaceState[];
  /** Blobs that namespaces outside this state still hold: the content store is one pool, so they free nothing. */
  readonly foreignBlobs: readonly Digest[];
  /** The pods of this node; null when there is no pod source. */
  readonly pods: readonly Pod[] | null;
}
