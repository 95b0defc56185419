// The one stream of things worth reporting. Every sink (metrics, log) reads the same events.
import type { NameOutcome, Outcome } from "../act/outcome.ts";
import type { ReferenceOutcome, RemovalOutcome } from "../act/remove-outcome.ts";
import type { Plan } from "../decide/plan.ts";
import type { NodeState } from "../image/node-state.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";

/** Why a round removed nothing: the labels of `skipped_reconciles_total`. */
export type SkipReason = (typeof everySkipReason)[number];

/** Every reason for skipping a round. */
export const everySkipReason = ["pods-not-synced", "node-unknown", "disabled"] as const;

export type ReportEvent =
  | {
      readonly kind: "planned";
      readonly state: NodeState;
      readonly plan: Plan;
      readonly filesystems: readonly FilesystemUsage[];
    }
  | { readonly kind: "name-done"; readonly outcome: NameOutcome }
  | {
      readonly kind: "round-done";
      readonly at: number;
      readonly seconds: number;
      readonly plan: Plan;
      readonly outcome: Outcome;
    }
  /** One reference that a person asked to remove. */
  | { readonly kind: "reference-done"; readonly outcome: ReferenceOutcome }
  /** All of them, and the collection after them. */
  | { readonly kind: "references-done"; readonly outcome: RemovalOutcome }
  | { readonly kind: "round-skipped"; readonly seconds: number; readonly reason: SkipReason; readonly message: string }
  | { readonly kind: "round-failed"; readonly seconds: number; readonly message: string }
  | { readonly kind: "pods-synced"; readonly synced: boolean; readonly message: string }
  /** A changed configuration was taken over, or refused: then the one before holds on. */
  | { readonly kind: "config-reloaded"; readonly result: "loaded" | "refused"; readonly message: string }
  /** The audit file: `first` says that it could be written until now, `lost` how many lines are missing in it. */
  | { readonly kind: "audit-failed"; readonly first: boolean; readonly message: string }
  | { readonly kind: "audit-mended"; readonly lost: number }
  /** Removals that a crash had cut short were found in the audit file, and what became of them. */
  | { readonly kind: "audit-resolved"; readonly names: number; readonly gone: number }
  | { readonly kind: "runtime-call"; readonly call: string; readonly seconds: number }
  | { readonly kind: "notice"; readonly level: "debug" | "info" | "warn"; readonly message: string };

/** Takes events as they come. Must not throw. */
export type ReportSink = (event: ReportEvent) => void;

/** True when every removal that was tried succeeded or was overtaken. */
export function succeeded(outcome: Outcome): boolean {
  return outcome.collectFailure === undefined && outcome.names.every(({ result }) => result.kind !== "failed");
}
