// What an operator wants: which images may go, and which must stay.
import type { Instant } from "../image/node-state.ts";
import type { KeepPattern } from "./keep-pattern.ts";
import type { LabelFilter } from "./label-filter.ts";

/**
 * How uses protect content. `strict` protects the content that a container runs, however it is spelled. `compat` repeats
 * the reference behaviour of Docker Engine with the containerd image store, holes included; tests compare against it.
 */
export type Semantics = "strict" | "compat";

export interface Policy {
  readonly semantics: Semantics;
  /** True: only dangling images may go. False: everything that is unused. */
  readonly danglingOnly: boolean;
  /** Milliseconds that must have passed since the last use. 0 switches the rule off. */
  readonly unusedFor: number;
  /** Milliseconds that must have passed since the pull (or, where the runtime does not tell, the first sight). 0 switches it off. */
  readonly minAge: number;
  /** A name or image that one of these matches stays. */
  readonly keep: readonly KeepPattern[];
  /** Only names whose record is older than every one of these moments may go. */
  readonly until: readonly Instant[];
  /** Only images whose config labels satisfy all of these may go. */
  readonly labels: readonly LabelFilter[];
}

/** Removes everything that nothing uses: what a person means who types `prune` without flags. */
export const removeAllUnused: Policy = {
  semantics: "strict",
  danglingOnly: false,
  unusedFor: 0,
  minAge: 0,
  keep: [],
  until: [],
  labels: [],
};
