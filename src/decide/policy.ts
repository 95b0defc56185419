// What an operator wants: which images may go, which must stay, in which order they go and how many at a time.
import type { Instant } from "../image/node-state.ts";
import type { ImagePattern } from "./image-pattern.ts";
import type { LabelFilter } from "./label-filter.ts";
import type { OrderName } from "./order.ts";

/**
 * How uses protect content. `strict` protects the content that a container runs, however it is spelled. `compat` repeats
 * the reference behaviour of Docker Engine with the containerd image store, holes included; tests compare against it.
 */
export type Semantics = "strict" | "compat";

/** Pod namespaces by pattern (`*` and `?`), asked of the pods that used an image last. */
export interface PodNamespaces {
  /** When there are any: only images that pods of these namespaces alone used last may go. */
  readonly only: readonly string[];
  /** Images that a pod of one of these namespaces used last stay. */
  readonly except: readonly string[];
}

/** Limits of one plan, in images. What they cut off waits for the next round. */
export interface BrakeLimits {
  /** Images that may go in one round; undefined: any number. */
  readonly maxRemovals: number | undefined;
  /** Share of the node's images, from 0 to 1, that may go in one round; undefined: any share. */
  readonly maxFraction: number | undefined;
}

export interface Policy {
  readonly semantics: Semantics;
  /** True: only dangling images may go. False: everything that is unused. */
  readonly danglingOnly: boolean;
  /** Milliseconds that must have passed since the last use. 0 switches the rule off. */
  readonly unusedFor: number;
  /** The same for dangling images; undefined: as for all others. */
  readonly danglingFor: number | undefined;
  /** Milliseconds that must have passed since the pull (or, where the runtime does not tell, the first sight). 0 switches it off. */
  readonly minAge: number;
  /** This many newest tags of each repository stay. 0 switches the rule off. */
  readonly keepPerRepository: number;
  /** A name or image that one of these matches stays. */
  readonly keep: readonly ImagePattern[];
  /** A name or image that one of these matches goes first and whatever its age, as soon as nothing uses it. */
  readonly remove: readonly ImagePattern[];
  /** Only names whose record is older than every one of these moments may go. */
  readonly until: readonly Instant[];
  /** Only images whose config labels satisfy all of these may go. */
  readonly labels: readonly LabelFilter[];
  readonly podNamespaces: PodNamespaces;
  /** Bytes that all images together may take; undefined: any number. */
  readonly maxImageBytes: number | undefined;
  /** Which image goes before which. */
  readonly order: OrderName;
  readonly brakes: BrakeLimits;
}

/** Removes everything that nothing uses: what a person means who types `prune` without flags. */
export const removeAllUnused: Policy = {
  semantics: "strict",
  danglingOnly: false,
  unusedFor: 0,
  danglingFor: undefined,
  minAge: 0,
  keepPerRepository: 0,
  keep: [],
  remove: [],
  until: [],
  labels: [],
  podNamespaces: { only: [], except: [] },
  maxImageBytes: undefined,
  order: "least-recently-used",
  brakes: { maxRemovals: undefined, maxFraction: undefined },
};
