// What carrying a plan out needs.
import type { ImageVerdict } from "../decide/plan.ts";
import type { NameOutcome } from "./outcome.ts";
import type { RevalidatorInput } from "./revalidate.ts";

export interface ExecuteInput extends RevalidatorInput {
  /** Images removed side by side. */
  readonly concurrency: number;
  /** Milliseconds that one call to the runtime may take. */
  readonly callTimeoutMs: number;
  /** Milliseconds to wait after each image; more than 0 means one image after the other. Default 0. */
  readonly pauseMs?: number;
  /** Awaited before the first name of an image is touched. Must not reject. */
  readonly beforeImage?: (verdict: ImageVerdict) => Promise<void>;
  /** Called after each name, in the order in which they are done. */
  readonly onName?: (outcome: NameOutcome) => void;
  /** When it fires, removals that have not begun are skipped; the collection still takes place. */
  readonly signal?: AbortSignal;
}
