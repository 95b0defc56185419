// The progress of a removal for a person at a terminal: names that are done, images that are gone, bytes that follow them.
import type { Plan } from "../decide/plan.ts";
import { formatEstimate } from "../report/bytes.ts";
import type { ReportSink } from "../report/event.ts";
import { count } from "./plan-table.ts";
import { createProgress, type Progress, type Terminal } from "./progress.ts";
import { lookOf } from "./terminal.ts";

export interface RemovalProgress {
  /** Draws what the events of a round tell. */
  readonly sink: ReportSink;
  /** Takes the bar away, also when the round did not come to its end. */
  clear(): void;
}

const silent: RemovalProgress = { sink: () => {}, clear: () => {} };

/** A bar that follows the events of a round. Silent where no person watches. */
export function removalProgress(
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number = Date.now,
): RemovalProgress {
  const look = lookOf(terminal, env);
  if (look === undefined) return silent;
  const bar = createProgress(terminal, now, { unicode: look.unicode, total: (names) => count(names, "name") });
  let following: Following | undefined;
  return {
    sink(event) {
      if (event.kind === "planned") following = new Following(event.plan, bar);
      // Whatever is logged takes a line of its own.
      if (event.kind !== "name-done" || event.outcome.result.kind === "failed") bar.clear();
      if (event.kind === "name-done") following?.nameDone(event.outcome.namespace, event.outcome.target);
    },
    clear: () => bar.clear(),
  };
}

class Following {
  readonly #bar: Progress;
  readonly #approximate: boolean;
  readonly #total: number;
  /** Names to come and bytes of each image that goes. */
  readonly #images: ReadonlyMap<string, { names: number; readonly bytes: number | undefined }>;
  #done = 0;
  #gone = 0;
  #bytes = 0;

  constructor(plan: Plan, bar: Progress) {
    this.#bar = bar;
    this.#approximate = plan.approximate;
    const images = plan.images.map(({ namespace, image, names, action, bytesInPlan }) => {
      const going = names.filter((name) => name.action === "untag").length;
      const bytes = action === "delete" ? bytesInPlan : undefined;
      return [`${namespace} ${image.target}`, { names: going, bytes }] as const;
    });
    this.#images = new Map(images);
    this.#total = images.reduce((sum, [, { names }]) => sum + names, 0);
  }

  nameDone(namespace: string, target: string): void {
    const image = this.#images.get(`${namespace} ${target}`);
    if (image === undefined) return;
    this.#done += 1;
    image.names -= 1;
    if (image.names === 0 && image.bytes !== undefined) {
      this.#gone += 1;
      this.#bytes += image.bytes;
    }
    const freed = formatEstimate(this.#bytes, this.#approximate);
    this.#bar.update(this.#done, this.#total, `: ${count(this.#gone, "image")}, ${freed}`);
  }
}
