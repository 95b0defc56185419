// What a policy is to the simulator: something that looks after one node and takes images off it.
import type { Instant } from "../../../src/image/node-state.ts";
import type { CataloguedImage } from "../catalogue.ts";
import type { Node } from "../node.ts";
import type { Random } from "../random.ts";
import type { Restart, Trace } from "../trace.ts";

/** Looks after one node for the length of one trace. */
export interface Caretaker {
  /** Milliseconds between two looks. */
  readonly every: number;
  look?(now: Instant): void;
  /** An image is about to be pulled. Only those who know the future act on it. */
  beforePull?(image: CataloguedImage, now: Instant): void;
  pulled?(image: CataloguedImage, now: Instant): void;
  /** The pod that uses an image begins or is gone; the node has counted it already. */
  usesChanged?(image: CataloguedImage, now: Instant): void;
  restarted?(what: Restart["what"], now: Instant): void;
}

export interface World {
  readonly node: Node;
  readonly trace: Trace;
  readonly random: Random;
}

export interface RetentionPolicy {
  readonly name: string;
  readonly start: (world: World) => Caretaker;
}
