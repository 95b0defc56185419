// Carries a plan out: checks again right before each removal, goes on after failures, collects once, measures what went.
import { parentsIn } from "../decide/parents.ts";
import type { ImageVerdict } from "../decide/plan.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";
import { type Announce, AnnouncedImages } from "./announce.ts";
import type { ExecuteInput } from "./execute-input.ts";
import { graceAfter } from "./grace.ts";
import { createFreedMeter, type FreedMeter } from "./measure.ts";
import type { DeletedImage, Outcome } from "./outcome.ts";
import {
  describeFailure,
  type ImageOutcome,
  isGone,
  isRemoval,
  isSilent,
  type RemovalRun,
  unanswered,
} from "./removal-run.ts";
import { removeNames } from "./remove-names.ts";
import { removeWhole } from "./remove-whole.ts";
import { Revalidator } from "./revalidate.ts";
import { inWaves } from "./waves.ts";

/** The only place that removes anything. Never throws for a failed removal: failures are part of the outcome. */
export async function execute(input: ExecuteInput): Promise<Outcome> {
  const work = input.plan.images.filter((verdict) => verdict.names.some(isRemoval));
  if (work.length === 0) return { names: [], deleted: [], reclaimedBytes: 0 };
  const grace = graceAfter(input.stopping ?? input.signal, input.clock);
  const run: RemovalRun = { input, revalidator: new Revalidator(input), grace: grace.signal, silence: 0 };
  const meter = await (input.meter ?? createFreedMeter(input.runtime, input.clock, { timeoutMs: input.callTimeoutMs }));
  const remove = input.runtime.capabilities.untag ? removeNames : removeWhole;
  const stopWatching = watchContainers(input.runtime, run.revalidator);
  try {
    const waves = inWaves(work, parentsIn(input.planned.state.namespaces));
    const results: ImageOutcome[] = [];
    for (const wave of waves) {
      const { announce = tellNobody, pauseMs = 0 } = input;
      const announced = new AnnouncedImages(wave, { announce, oneByOne: pauseMs > 0 });
      const outcomes = await inParallel(wave, sideBySide(input), async (verdict, index) => {
        if (!input.signal?.aborted && !isSilent(run)) await announced.before(index);
        const outcome = await remove(verdict, run);
        await pauseAfter(outcome, input);
        return outcome;
      });
      results.push(...outcomes);
    }
    return await settle({ work: waves.flat(), results, meter }, run);
  } finally {
    grace.end();
    await stopWatching();
  }
}

const tellNobody: Announce = async () => undefined;

/** A pause between removals means nothing when others go on meanwhile. */
function sideBySide({ concurrency, pauseMs = 0 }: ExecuteInput): number {
  return pauseMs > 0 ? 1 : concurrency;
}

/** Only what was removed costs the runtime anything. */
async function pauseAfter({ names }: ImageOutcome, { pauseMs = 0, clock, signal }: ExecuteInput): Promise<void> {
  if (pauseMs > 0 && names.some(({ result }) => result.kind === "removed")) await clock.sleep(pauseMs, signal);
}

interface Done {
  readonly work: readonly ImageVerdict[];
  /** In the order of `work`. */
  readonly results: readonly ImageOutcome[];
  readonly meter: FreedMeter;
}

async function settle({ work, results, meter }: Done, run: RemovalRun): Promise<Outcome> {
  const names = results.flatMap((result) => result.names);
  const emptied = work.filter((verdict, i) => verdict.action === "delete" && results[i]?.gone);
  const deleted = emptied.map(deletedImage);
  if (emptied.length === 0 && !names.some(isGone)) return { names, deleted: [], reclaimedBytes: 0 };
  if (isSilent(run)) {
    const message = `${unanswered}: the space is freed when it is back and collects`;
    return { names, deleted, reclaimedBytes: 0, collectFailure: { reason: "unavailable", message } };
  }
  const options = { signal: run.grace };
  try {
    await run.input.runtime.collect(options);
    const reclaimedBytes = await meter.freedBy(emptied, options, run.input.signal);
    return { names, deleted, reclaimedBytes };
  } catch (error) {
    return { names, deleted, reclaimedBytes: 0, collectFailure: describeFailure(error) };
  }
}

function deletedImage({ namespace, image: { id, target }, names }: ImageVerdict): DeletedImage {
  return { namespace, id, target, reason: names.find(isRemoval)?.reasons[0]?.code ?? "unused" };
}

/** Container events make the next check read again at once. Without events the checks are as fresh as `freshFor` says. */
function watchContainers(runtime: ContainerRuntime, revalidator: Revalidator): () => Promise<void> {
  const controller = new AbortController();
  const watching = (async () => {
    for await (const event of runtime.events(controller.signal, ["container"])) {
      if (event.kind === "container") revalidator.containersChanged(event.namespace);
    }
  })()
    .catch(() => undefined)
    .then(() => revalidator.changesLost());
  return async () => {
    controller.abort();
    await watching;
  };
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as Item, i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
