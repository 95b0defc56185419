// The port to whoever knows the pods of this node. Imports only the vocabulary.
import type { Instant, Pod } from "../image/node-state.ts";

/** The pods of this node as far as they are known, with how fresh that knowledge is. */
export type PodsView =
  /** There is no pod source: nobody was asked to watch pods. */
  | { readonly kind: "none" }
  /** The pods were listed and the watch was heard from at `confirmedAt`. */
  | { readonly kind: "synced"; readonly pods: readonly Pod[]; readonly confirmedAt: Instant }
  /** The pods are not known well enough to remove anything. `reason` is one line for people, with the mend. */
  | { readonly kind: "unsynced"; readonly reason: string };

export interface PodSource {
  /** Begins to list and watch. Resolves at once; the view tells when the pods are there. */
  start(): void;
  /** What is known now. Never waits. */
  view(): PodsView;
  /** Resolves when the first list is complete, or with the unsynced view after `timeoutMs` milliseconds. */
  ready(timeoutMs: number): Promise<PodsView>;
  /** Called after every change; returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}
