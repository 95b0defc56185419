// The JSON of `rmi`. Field names are an interface: more may be added, none is renamed.
import type { FailureReason } from "../act/outcome.ts";
import type { ReferenceOutcome, RemovalFailure, RemovalOutcome } from "../act/remove-outcome.ts";
import type { RemovalReport } from "../decide/removal-types.ts";
import type { NodeState } from "../image/node-state.ts";
import { explainInvalid } from "./invalid-reference.ts";

/** What became of one reference. */
export interface ReferenceReport {
  readonly reference: string;
  /** The namespace in which it was found. */
  readonly namespace: string;
  /** Names as people write them, and images, in the order in which they went. */
  readonly removed: readonly RemovalReport[];
  /** `untag id=<target> name=<name>` and `delete id=<target> name=<target>`, in the order of `removed`. */
  readonly events: readonly string[];
  readonly error: RemovalFailure | null;
}

export interface RemovalsReport {
  readonly runtime: NodeState["runtime"];
  readonly results: readonly ReferenceReport[];
  /** Every name that went, exactly as it was stored. */
  readonly untagged: readonly string[];
  /** ID of every image whose content went. */
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly name: string; readonly reason: FailureReason; readonly message: string }[];
  readonly plannedBytes: number;
  readonly reclaimedBytes: number;
  readonly durationMs: number;
}

export interface RemovalsReportInput {
  readonly state: NodeState;
  readonly outcome: RemovalOutcome;
  readonly durationMs: number;
}

/** Builds the report of all references. */
export function removalsReport({ state, outcome, durationMs }: RemovalsReportInput): RemovalsReport {
  const { references, reclaimedBytes } = outcome;
  return {
    runtime: state.runtime,
    results: references.map(referenceReport),
    untagged: references.flatMap(({ names }) => names.map(({ name }) => name)),
    deleted: [...new Set(references.flatMap(({ emptied }) => emptied.map(({ id }) => id)))],
    failed: failuresOf(outcome),
    plannedBytes: references.reduce((sum, reference) => sum + reference.plannedBytes, 0),
    reclaimedBytes,
    durationMs,
  };
}

/** The lines of `docker rmi` for what went. */
export function removalLines({ removed }: ReferenceOutcome): readonly string[] {
  return removed.map((entry) => ("deleted" in entry ? `Deleted: ${entry.deleted}` : `Untagged: ${entry.untagged}`));
}

/** The one line for a failure, with what an ambiguous reference might mean. */
export function failureLine(failure: RemovalFailure, reference: string): string {
  const { message, candidates, status } = failure;
  if (candidates === undefined) return status === 400 ? explainInvalid(message, reference) : message;
  return `${message}: ${reference} may mean ${candidates.join(" or ")}; write more digits`;
}

function referenceReport({ reference, namespace, removed, events, error }: ReferenceOutcome): ReferenceReport {
  return { reference, namespace, removed, events, error: error ?? null };
}

function failuresOf({ references, collectFailure }: RemovalOutcome): RemovalsReport["failed"] {
  const failed = references.flatMap(({ reference, error }) =>
    error === undefined ? [] : [{ name: reference, reason: error.reason, message: error.message }],
  );
  if (collectFailure === undefined) return failed;
  return [...failed, { name: "", reason: collectFailure.reason, message: collectFailure.message }];
}
