// What really happened when a plan was carried out. Expected results are values, not exceptions.

import type { RemoveCode } from "../decide/reason.ts";
import type { Digest } from "../image/digest.ts";
import type { RuntimeErrorCode } from "../runtime/runtime-error.ts";

/** Why a removal failed, in the words of the metric `removal_failures_total{reason}`. */
export type FailureReason = (typeof everyFailureReason)[number];

/** Every reason for a failed removal. */
export const everyFailureReason = [
  "conflict",
  "not_found",
  "permission_denied",
  "invalid_argument",
  "unavailable",
  "deadline",
  "unknown",
] as const;

/** What became of one name that the plan wanted to go. */
export type NameResult =
  | { readonly kind: "removed" }
  /** Somebody else was faster: the name is gone. */
  | { readonly kind: "already-gone" }
  /** The name points to another image by now and was left alone. */
  | { readonly kind: "moved" }
  /** Something needs it by now. `message` says what. */
  | { readonly kind: "in-use"; readonly message: string }
  /** Not tried: the round was stopped, or could not see clearly any more. */
  | { readonly kind: "skipped"; readonly message: string }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly message: string };

export interface NameOutcome {
  readonly namespace: string;
  readonly name: string;
  readonly target: Digest;
  readonly reason: RemoveCode;
  readonly result: NameResult;
  /** Seconds that the removal of this name took; 0 when it was not tried. */
  readonly seconds: number;
}

/** An image whose last name went. */
export interface DeletedImage {
  readonly namespace: string;
  readonly id: Digest;
  readonly target: Digest;
  readonly reason: RemoveCode;
}

export interface Outcome {
  readonly names: readonly NameOutcome[];
  readonly deleted: readonly DeletedImage[];
  /** Bytes of the deleted images' content that is gone, measured after the collection. */
  readonly reclaimedBytes: number;
  /** Set when the collection or the measuring failed: the names are gone, the space may follow later. */
  readonly collectFailure?: { readonly reason: FailureReason; readonly message: string };
}

const failureReasons: Readonly<Record<RuntimeErrorCode, FailureReason>> = {
  unavailable: "unavailable",
  timeout: "deadline",
  "not-found": "not_found",
  conflict: "conflict",
  "in-use": "conflict",
  denied: "permission_denied",
  "invalid-argument": "invalid_argument",
  unsupported: "unknown",
  internal: "unknown",
};

/** The failure reason of an error code of the runtime port. */
export function failureReason(code: RuntimeErrorCode): FailureReason {
  return failureReasons[code];
}
