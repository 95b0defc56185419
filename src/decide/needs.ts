// What a plan has to know that some runtimes tell image by image only, so that it takes time to find out.
import type { PlanInput } from "./plan.ts";

/** False where a plan comes out the same without. */
export interface Needs {
  /** When names were recorded. Without it, ages that are shown count from the first sight. */
  readonly recordTimes: boolean;
  /** What the configs of images say: labels, and when the image was built. */
  readonly imageConfigs: boolean;
}

/** What a plan by these rules needs to know. */
export function needsOf({ policy, history }: Pick<PlanInput, "policy" | "history">): Needs {
  const { minAge, keepPerRepository, until, labels, keep, remove, order } = policy;
  const asksWhatIsNewest = keepPerRepository > 0 || order !== "least-recently-used";
  const asksForTimes = asksWhatIsNewest || until.length > 0;
  return {
    recordTimes: asksForTimes || minAge > 0 || history.unknown === "record-time",
    imageConfigs: asksForTimes || labels.length > 0 || [...keep, ...remove].some(({ ofLabel }) => ofLabel),
  };
}
