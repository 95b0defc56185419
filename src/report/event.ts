// The one stream of things worth reporting. Every sink (metrics, log) reads the same events.
import type { NameOutcome, Outcome } from "../act/outcome.ts";
import type { ReferenceOutcome, RemovalOutcome } from "../act/remove-outcome.ts";
import type { Demand } from "../decide/demand.ts";
import type { Holding } from "../decide/holding.ts";
import type { Plan } from "../decide/plan.ts";
import type { NodeState } from "../image/node-state.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";

/** Why a round removed nothing: the labels of `skipped_reconciles_total`. */
export type SkipReason = (typeof everySkipReason)[number];

/** Every reason for skipping a round. */
export const everySkipReason = ["pods-not-synced", "node-unknown", "disabled"] as const;

/** What began a round of the loop: the labels of `rounds_total`. */
export type Trigger = (typeof everyTrigger)[number];

/** Everything that begins rounds. */
export const everyTrigger = ["start", "interval", "retry", "event", "pressure", "window", "settings"] as const;

/** Why a plan is not carried out now although it may be later. */
export interface Withheld {
  readonly code: "outside-window";
  readonly detail: string;
}

/** How an episode of pressure ended: space was freed down to the low mark, or there was nothing left to remove. */
export interface PressureReport {
  readonly level: "pressure" | "emergency";
  readonly result: "relieved" | "unrelieved";
  /** As it is after the episode. */
  readonly filesystem: FilesystemUsage;
  /** Bytes and inodes above the low mark that are still to be freed; 0 when relieved. */
  readonly missing: { readonly bytes: number; readonly inodes: number };
  readonly holding: Holding;
  readonly because: string;
}

export type ReportEvent =
  | {
      readonly kind: "planned";
      readonly state: NodeState;
      readonly plan: Plan;
      readonly filesystems: readonly FilesystemUsage[];
      /** Absent when a person asked. */
      readonly trigger?: Trigger;
      /** Set when nothing of the plan is carried out now. */
      readonly withheld?: Withheld;
    }
  /** A look at the filesystem between rounds. */
  | {
      readonly kind: "filesystem-seen";
      readonly filesystem: FilesystemUsage;
      readonly demand: Demand | undefined;
    }
  /** The filesystem of the images cannot be judged: pressure is not handled until it can. */
  | { readonly kind: "filesystem-unseen"; readonly message: string }
  | ({ readonly kind: "pressure" } & PressureReport)
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
