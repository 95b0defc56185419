// What carrying a plan out needs.
import type { Announce } from "./announce.ts";
import type { FreedMeter } from "./measure.ts";
import type { NameOutcome } from "./outcome.ts";
import type { RevalidatorInput } from "./revalidate.ts";

export interface ExecuteInput extends RevalidatorInput {
  /** Images removed side by side. */
  readonly concurrency: number;
  /** Milliseconds that one call to the runtime may take. */
  readonly callTimeoutMs: number;
  /** Measures what is freed, when it had been started before; by default it starts with the execution. */
  readonly meter?: Promise<FreedMeter>;
  /** Milliseconds to wait after each image; more than 0 means one image after the other. Default 0. */
  readonly pauseMs?: number;
  readonly announce?: Announce;
  /** Called after each name, in the order in which they are done. */
  readonly onName?: (outcome: NameOutcome) => void;
  /** When it fires, removals that have not begun are skipped; the collection still takes place. */
  readonly signal?: AbortSignal;
  /** Fires when the program stops: what is in progress then has little time left. Default: `signal`. */
  readonly stopping?: AbortSignal;
}
