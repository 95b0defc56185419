// The words of a removal that a person asks for: what is known, what shall go, what would happen.
import type { Digest } from "../image/digest.ts";
import type { ImageStore } from "../image/node-state.ts";

/** A name as the runtime stores it, as far as a removal needs to know it. */
export interface RemovalRecord {
  /** Exactly as stored; compared byte for byte. */
  readonly name: string;
  readonly target: Digest;
  /** Target of the parent image. When absent, the record's label `org.mobyproject.image.parent` counts. */
  readonly parent?: Digest;
  /** The labels of the record. */
  readonly labels?: Readonly<Record<string, string>>;
  /** More digests that mean the image, such as its config: an image ID may be any of them. Default: the target alone. */
  readonly digests?: readonly Digest[];
  /** The runtime marks the image as pinned: in safe mode it is deleted only by force. Default false. */
  readonly pinned?: boolean;
}

/** What one pod that may still run needs here, whether it was started or not. */
export interface PodNeed {
  /** `namespace/name`. */
  readonly pod: string;
  readonly phase: string;
  /** Names exactly as stored that the pod asks for, whatever they point to. */
  readonly names: ReadonlySet<string>;
  /** Images that the pod asks for by ID or digest. */
  readonly targets: ReadonlySet<Digest>;
}

/** One use of an image by one container. A container that uses several images is given several times. */
export interface RemovalUse {
  /** ID of the container. */
  readonly id: string;
  /** The image that the container runs, resolved to a record's target. Absent when this use is only a mount. */
  readonly target?: Digest;
  /** True also for paused and restarting containers; false for created, exited and dead ones. */
  readonly running: boolean;
  /** Target of an image that is mounted into the container as a volume. */
  readonly imageMountOf?: Digest;
  /** `namespace/name` of the pod, for people. */
  readonly pod?: string;
}

export interface RemovalRequest {
  /** Every record of one namespace, in any order. */
  readonly records: readonly RemovalRecord[];
  readonly containers: readonly RemovalUse[];
  /** What the person named: a name, an image ID, or the beginning of one. */
  readonly ref: string;
  /** Ignores what may be forced: stopped containers, several names. Never a running container of an image given by ID. */
  readonly force: boolean;
  /** Leaves dangling parents alone. */
  readonly noPrune: boolean;
  /**
   * Closes two gaps of the reference behaviour: an image that is only mounted counts as used on every path, and a record
   * that cannot be shown stops the removal before it begins instead of in the middle. Default false.
   */
  readonly safe?: boolean;
  /** What the pods of the node need. Force goes past it. Default: nothing. */
  readonly pods?: readonly PodNeed[];
  /**
   * CRI manages the names of this namespace: its ID names mean the image and stay with it, and no dangling record is ever
   * made. Where this is false, images whose record CRI has labelled are treated so all the same. Default false.
   */
  readonly criManaged?: boolean;
  /**
   * A Docker Engine carries the steps out, with this image store. It makes dangling images and keeps parents by itself, and it
   * is never asked to force anything, so that force does not go past containers. Default: records are changed one by one.
   */
  readonly engine?: ImageStore;
  /** Targets of the images that others were built on. Default: none. */
  readonly parents?: ReadonlySet<Digest>;
  /** False when the runtime removes images whole: an image that is named by its ID then goes with all its names. Default true. */
  readonly untag?: boolean;
  /** Nobody tells which names of an image in use the pods need, so CRI-managed names of such images need force. */
  readonly podsUnknown?: boolean;
}

/** What a person is told: a name that went, or an image that went. */
export type RemovalReport = { readonly untagged: string } | { readonly deleted: Digest };

/**
 * One change of one record. `untag` needs no collection afterwards, `delete` does. `target` is what the record must still
 * point to when the step is carried out. `reports` holds as soon as the step is done.
 */
export type RemovalStep =
  | {
      readonly kind: "untag" | "delete";
      readonly name: string;
      readonly target: Digest;
      /** The image is to go although others were built on it. Default false. */
      readonly whole?: boolean;
      readonly reports: readonly RemovalReport[];
    }
  | {
      readonly kind: "create-dangling";
      readonly name: string;
      readonly target: Digest;
      readonly parent?: Digest;
      readonly labels?: Readonly<Record<string, string>>;
      readonly reports: readonly RemovalReport[];
    };

/** Why an image cannot go, in a form that a program can read. */
export interface RemovalConflict {
  readonly kind:
    | "running-container"
    | "stopped-container"
    | "name-in-use"
    | "needed-by-pod"
    | "pinned"
    | "several-names"
    | "children"
    | "cannot-untag"
    | "shared-id";
  /** True when the same request with `force` would not stop here. */
  readonly forcible: boolean;
  readonly container?: string;
  readonly pod?: string;
}

/** Nothing goes, save for `steps`: what the reference behaviour has removed before it fails, always empty in safe mode. */
export interface RefusedRemoval {
  readonly kind: "refused";
  /** As an HTTP status: 400 wrong request, 404 not found or ambiguous, 409 conflict, 500 a record that cannot be shown. */
  readonly status: 400 | 404 | 409 | 500;
  readonly message: string;
  readonly conflict?: RemovalConflict;
  /** The records that an ambiguous reference might mean, by name. */
  readonly candidates?: readonly string[];
  readonly steps: readonly RemovalStep[];
  readonly events: readonly string[];
}

export interface AcceptedRemoval {
  readonly kind: "removal";
  readonly steps: readonly RemovalStep[];
  /** The reports of all steps, in order. */
  readonly report: readonly RemovalReport[];
  /** One line per event: `untag id=<target> name=<short name>` or `delete id=<target> name=<target>`. */
  readonly events: readonly string[];
}

export type RemovalPlan = AcceptedRemoval | RefusedRemoval;

/** Builds a refusal in which nothing was removed. */
export function refusal(
  status: RefusedRemoval["status"],
  message: string,
  detail: Pick<RefusedRemoval, "conflict" | "candidates"> = {},
): RefusedRemoval {
  return { kind: "refused", status, message, ...detail, steps: [], events: [] };
}
