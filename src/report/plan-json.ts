// The JSON of `plan` and `prune`. Field names are an interface: more may be added, none is renamed.
import type { FailureReason, Outcome } from "../act/outcome.ts";
import type { Brake } from "../decide/brake.ts";
import type { Demand } from "../decide/demand.ts";
import type { Plan } from "../decide/plan.ts";
import type { Reason } from "../decide/reason.ts";
import type { NodeState } from "../image/node-state.ts";
import { whyLeft } from "./left-alone.ts";
import { type PlanImage, planImages } from "./plan-images.ts";

export interface KeptName {
  readonly name: string;
  /** The image ID. */
  readonly image: string;
  readonly namespace: string;
  readonly reasons: readonly Reason[];
}

export interface PlanReport {
  readonly runtime: NodeState["runtime"];
  readonly dryRun: boolean;
  /** Every name that went (would go, in a dry run). */
  readonly untagged: readonly string[];
  /** ID of every image whose content went (would go). */
  readonly deleted: readonly string[];
  readonly kept: readonly KeptName[];
  readonly failed: readonly { readonly name: string; readonly reason: FailureReason; readonly message: string }[];
  /** Names that were planned to go and were left alone, because the node had changed meanwhile. */
  readonly leftAlone: readonly { readonly name: string; readonly result: string; readonly message: string }[];
  readonly plannedBytes: number;
  readonly reclaimedBytes: number;
  /** Present and true when the bytes are sums of sizes that the runtime tells. */
  readonly approximateBytes?: true;
  /** What had to be freed, and the bytes of it, or of the budget, that cannot be found; null when nothing had to. */
  readonly demand: Demand | null;
  readonly shortfallBytes: number;
  /** Limits that held removals back. */
  readonly brakes: readonly Brake[];
  readonly images: readonly PlanImage[];
  readonly durationMs: number;
  readonly warnings: readonly string[];
}

export interface PlanReportInput {
  readonly state: NodeState;
  readonly plan: Plan;
  readonly durationMs: number;
  /** Absent for a plan that was not carried out. */
  readonly outcome?: Outcome;
}

/** Builds the report of a plan, carried out or not. */
export function planReport({ state, plan, durationMs, outcome }: PlanReportInput): PlanReport {
  return {
    runtime: state.runtime,
    dryRun: outcome === undefined,
    untagged: outcome === undefined ? plannedNames(plan) : removedNames(outcome),
    deleted: outcome === undefined ? plannedImages(plan) : outcome.deleted.map(({ id }) => id),
    kept: keptNames(plan),
    failed: outcome === undefined ? [] : failures(outcome),
    leftAlone: outcome === undefined ? [] : leftAlone(outcome),
    plannedBytes: plan.plannedBytes,
    reclaimedBytes: outcome?.reclaimedBytes ?? 0,
    ...(plan.approximate ? { approximateBytes: true } : {}),
    demand: plan.demand ?? null,
    shortfallBytes: plan.shortfall,
    brakes: plan.brakes,
    images: planImages(plan),
    durationMs,
    warnings: plan.warnings,
  };
}

function plannedNames(plan: Plan): string[] {
  return plan.images.flatMap(({ names }) => names.filter(({ action }) => action === "untag").map(({ name }) => name));
}

function plannedImages(plan: Plan): string[] {
  return plan.images.filter(({ action }) => action === "delete").map(({ image }) => image.id);
}

function keptNames(plan: Plan): KeptName[] {
  return plan.images.flatMap(({ namespace, image, names }) =>
    names.flatMap((verdict) =>
      verdict.action === "keep" ? [{ name: verdict.name, image: image.id, namespace, reasons: verdict.reasons }] : [],
    ),
  );
}

function removedNames(outcome: Outcome): string[] {
  return outcome.names.filter(({ result }) => result.kind === "removed").map(({ name }) => name);
}

function failures(outcome: Outcome): PlanReport["failed"] {
  const failed = outcome.names.flatMap(({ name, result }) =>
    result.kind === "failed" ? [{ name, reason: result.reason, message: result.message }] : [],
  );
  const { collectFailure } = outcome;
  return collectFailure === undefined ? failed : [...failed, { name: "", ...collectFailure }];
}

function leftAlone(outcome: Outcome): PlanReport["leftAlone"] {
  return outcome.names.flatMap(({ name, result }) => {
    const message = result.kind === "failed" ? undefined : whyLeft(result);
    return message === undefined ? [] : [{ name, result: result.kind, message }];
  });
}
