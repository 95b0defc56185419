// What a plan said of the images whose removal is reported one by one after it.
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import { auditedImage, type ExplainedImage } from "./audited-image.ts";
import type { ReportEvent } from "./event.ts";

/** Remembers the plan of the round that is under way, and nothing between rounds. */
export class PlannedImages {
  #plan: Plan | undefined;
  #verdicts: ReadonlyMap<string, ImageVerdict> | undefined;
  #over = false;

  /** To be called with every event, before anything is asked about it. */
  follow(event: ReportEvent): void {
    if (this.#over || event.kind === "planned") this.#forget();
    if (event.kind === "planned") this.#plan = event.plan;
    this.#over = event.kind === "round-done";
  }

  /** What is said of an image; nothing when no plan is known that holds it. */
  about(namespace: string, target: string): Partial<ExplainedImage> {
    this.#verdicts ??= new Map(this.#plan?.images.map((one) => [`${one.namespace} ${one.image.target}`, one]));
    const verdict = this.#verdicts.get(`${namespace} ${target}`);
    return verdict === undefined ? {} : auditedImage(verdict, this.#plan);
  }

  #forget(): void {
    this.#plan = undefined;
    this.#verdicts = undefined;
  }
}
