// What became of the removals that a person asked for, reference by reference.
import type { RefusedRemoval, RemovalReport } from "../decide/removal-types.ts";
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import { RuntimeError, type RuntimeErrorCode } from "../runtime/runtime-error.ts";
import { type FailureReason, failureReason } from "./outcome.ts";

/** Why a reference could not be removed, or not wholly. */
export interface RemovalFailure {
  /** As an HTTP status. */
  readonly status: number;
  readonly reason: FailureReason;
  readonly message: string;
  /** The records that an ambiguous reference might mean, by name. */
  readonly candidates?: readonly string[];
  /** The container that stands in the way. */
  readonly container?: string;
  /** `namespace/name` of the pod that stands in the way. */
  readonly pod?: string;
}

/** What became of one reference. What was removed before a failure is here as well. */
export interface ReferenceOutcome {
  readonly reference: string;
  readonly namespace: string;
  readonly removed: readonly RemovalReport[];
  /** One line for each event, in order. */
  readonly events: readonly string[];
  /** The names that this removal took away, exactly as they were stored. */
  readonly names: readonly { readonly name: string; readonly target: Digest }[];
  /** The images that have no name left. */
  readonly emptied: readonly Image[];
  readonly error: RemovalFailure | undefined;
  /** True when the node may have changed by it, also when a step failed. */
  readonly touched: boolean;
  /** Bytes that were expected to be freed. */
  readonly plannedBytes: number;
  /** Seconds that it took. */
  readonly seconds: number;
}

/** What became of all of them. */
export interface RemovalOutcome {
  readonly references: readonly ReferenceOutcome[];
  /** Bytes of the emptied images' content that is gone, measured after the collection. */
  readonly reclaimedBytes: number;
  /** Set when the collection or the measuring failed: the names are gone, the space may follow later. */
  readonly collectFailure?: RemovalFailure;
}

const refusalReasons: Readonly<Record<RefusedRemoval["status"], FailureReason>> = {
  400: "invalid_argument",
  404: "not_found",
  409: "conflict",
  500: "unknown",
};

/** The failure that a refusal is. */
export function failureOfRefusal({ status, message, candidates, conflict }: RefusedRemoval): RemovalFailure {
  const { container, pod } = conflict ?? {};
  return {
    status,
    reason: refusalReasons[status],
    message,
    ...(candidates === undefined ? {} : { candidates }),
    ...(container === undefined ? {} : { container }),
    ...(pod === undefined ? {} : { pod }),
  };
}

const statuses: Readonly<Record<RuntimeErrorCode, number>> = {
  unavailable: 503,
  timeout: 504,
  "not-found": 404,
  conflict: 409,
  "in-use": 409,
  denied: 403,
  "invalid-argument": 400,
  unsupported: 501,
  internal: 500,
};

/** The failure that an error of the runtime is. Other errors are defects and are thrown on. */
export function failureOfError(error: unknown): RemovalFailure {
  if (!(error instanceof RuntimeError)) throw error;
  return { status: statuses[error.code], reason: failureReason(error.code), message: error.message };
}

/** The node changed between plan and removal, and what was planned is no longer right. */
export function changedMeanwhile(message: string): RemovalFailure {
  return { status: 409, reason: "conflict", message };
}

/** The node cannot be seen clearly enough to remove anything. */
export function blind(message: string): RemovalFailure {
  return { status: 503, reason: "unavailable", message };
}
