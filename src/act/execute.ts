// Carries a plan out: checks again right before each removal, goes on after failures, collects once, measures what went.
import { classifyName } from "../decide/name-kind.ts";
import type { ImageVerdict, NameVerdict } from "../decide/plan.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import { measureFreed } from "./measure.ts";
import {
  type DeletedImage,
  type FailureReason,
  failureReason,
  type NameOutcome,
  type NameResult,
  type Outcome,
} from "./outcome.ts";
import { Revalidator, type RevalidatorInput } from "./revalidate.ts";

export interface ExecuteInput extends RevalidatorInput {
  /** Images removed side by side. */
  readonly concurrency: number;
  /** Milliseconds that one call to the runtime may take. */
  readonly callTimeoutMs: number;
  /** Awaited before the first name of an image is touched. Must not reject. */
  readonly beforeImage?: (verdict: ImageVerdict) => Promise<void>;
  /** Milliseconds to wait after each image; more than 0 means one image after the other. Default 0. */
  readonly pauseMs?: number;
  /** Called after each name, in the order in which they are done. */
  readonly onName?: (outcome: NameOutcome) => void;
  /** When it fires, removals that have not begun are skipped; the collection still takes place. */
  readonly signal?: AbortSignal;
}

type Removal = Extract<NameVerdict, { action: "untag" }>;

/** The only place that removes anything. Never throws for a failed removal: failures are part of the outcome. */
export async function execute(input: ExecuteInput): Promise<Outcome> {
  const work = input.plan.images.filter((verdict) => verdict.names.some(isRemoval));
  if (work.length === 0) return { names: [], deleted: [], reclaimedBytes: 0 };
  const run: Run = { input, revalidator: new Revalidator(input), silence: 0 };
  const stopWatching = watchContainers(input.runtime, run.revalidator);
  try {
    const results = await inParallel(work, sideBySide(input), (verdict) => removeImage(verdict, run));
    return await settle(work, results, run);
  } finally {
    await stopWatching();
  }
}

/** A pause between removals means nothing when others go on meanwhile. */
function sideBySide({ concurrency, pauseMs = 0 }: ExecuteInput): number {
  return pauseMs > 0 ? 1 : concurrency;
}

/** What the removals of one execution share. */
interface Run {
  readonly input: ExecuteInput;
  readonly revalidator: Revalidator;
  /** Calls in a row that the runtime did not answer. */
  silence: number;
}

/** After this many unanswered calls in a row the runtime counts as gone, and waiting for each deadline would help nobody. */
const silenceLimit = 3;

async function settle(work: readonly ImageVerdict[], results: readonly NameOutcome[][], run: Run): Promise<Outcome> {
  const names = results.flat();
  const emptied = work.filter((verdict, i) => verdict.action === "delete" && (results[i] ?? []).every(isGone));
  const deleted = emptied.map((verdict): DeletedImage => {
    const { id, target } = verdict.image;
    return { namespace: verdict.namespace, id, target, reason: firstRemoval(verdict)?.reasons[0]?.code ?? "unused" };
  });
  if (!names.some(isGone)) return { names, deleted: [], reclaimedBytes: 0 };
  if (run.silence >= silenceLimit) {
    const message = `${unanswered}: the space is freed when it is back and collects`;
    return { names, deleted, reclaimedBytes: 0, collectFailure: { reason: "unavailable", message } };
  }
  const { runtime } = run.input;
  const grace = graceAfter(run.input);
  try {
    await runtime.collect(grace.options);
    const reclaimedBytes = await measureFreed(emptied, runtime, grace.options);
    return { names, deleted, reclaimedBytes };
  } catch (error) {
    return { names, deleted, reclaimedBytes: 0, collectFailure: describeFailure(error) };
  } finally {
    grace.end();
  }
}

/** Milliseconds that the collection may still take once the round is stopped: a pod's grace period is 30 s. */
const stopGrace = 10_000;

/** Options of calls that go on when the round is stopped, but not for long. `end` stops the waiting. */
function graceAfter({ signal, clock }: ExecuteInput): { readonly options: CallOptions; readonly end: () => void } {
  const late = new AbortController();
  const ended = new AbortController();
  const arm = (): void => void clock.sleep(stopGrace, ended.signal).then(() => late.abort());
  if (signal?.aborted) arm();
  else signal?.addEventListener("abort", arm, { once: true, signal: ended.signal });
  return { options: { signal: late.signal }, end: () => ended.abort() };
}

/** Names of one image go one after the other: tags first, the ID name last. */
async function removeImage(verdict: ImageVerdict, run: Run): Promise<NameOutcome[]> {
  const { input } = run;
  const outcomes: NameOutcome[] = [];
  if (!input.signal?.aborted && run.silence < silenceLimit) await input.beforeImage?.(verdict);
  for (const removal of verdict.names.filter(isRemoval)) {
    const startedAt = input.clock.now();
    const result = mustWait(removal, outcomes) ? waits : await removeName(verdict, removal, run);
    const seconds = (input.clock.now() - startedAt) / 1000;
    const { name, target } = removal;
    const reason = removal.reasons[0]?.code ?? "unused";
    const outcome: NameOutcome = { namespace: verdict.namespace, name, target, reason, result, seconds };
    input.onName?.(outcome);
    outcomes.push(outcome);
  }
  await pauseAfter(outcomes, input);
  return outcomes;
}

/** Only what was removed costs the runtime anything. */
async function pauseAfter(outcomes: readonly NameOutcome[], { pauseMs = 0, clock, signal }: ExecuteInput) {
  if (pauseMs > 0 && outcomes.some(({ result }) => result.kind === "removed")) await clock.sleep(pauseMs, signal);
}

const waits: NameResult = { kind: "skipped", message: "another name of the image could not be removed" };

/** Digest references and ID names live with the tags of their image: when a tag could not be removed, they stay as well. */
function mustWait(removal: Removal, before: readonly NameOutcome[]): boolean {
  const { kind } = classifyName(removal.name);
  if (kind !== "digest-reference" && kind !== "id") return false;
  return before.some(({ result }) => result.kind === "failed" || result.kind === "skipped");
}

async function removeName(verdict: ImageVerdict, removal: Removal, run: Run): Promise<NameResult> {
  const { runtime, signal, callTimeoutMs } = run.input;
  if (signal?.aborted) return stopped;
  if (run.silence >= silenceLimit) return { kind: "skipped", message: unanswered };
  const options: CallOptions = { timeoutMs: callTimeoutMs };
  try {
    const checking = signal === undefined ? options : { ...options, signal };
    const fresh = await run.revalidator.judge(verdict.namespace, removal.target, checking);
    if (fresh.kind === "blind") return { kind: "skipped", message: fresh.message };
    const now = fresh.verdict?.names.find((candidate) => candidate.name === removal.name);
    if (now?.action === "keep") return { kind: "in-use", message: now.reasons.map((r) => r.detail).join("; ") };
    const anchored = fresh.verdict === undefined || (await isAnchored(fresh.verdict, runtime, checking));
    if (!anchored) return { kind: "in-use", message: "the names that were to stay are gone, so this one stays" };
    const kind = await runtime.removeName(verdict.namespace, removal.name, removal.target, options);
    run.silence = 0;
    run.revalidator.nameGone(verdict.namespace, removal.name);
    return { kind };
  } catch (error) {
    const failure = describeFailure(error);
    if (signal?.aborted && failure.reason === "deadline") return stopped;
    run.silence = isSilence(failure.reason) ? run.silence + 1 : 0;
    return { kind: "failed", ...failure };
  }
}

/** An image that stays must have one of its staying names left: somebody else may have moved or removed them meanwhile. */
async function isAnchored(verdict: ImageVerdict, runtime: ContainerRuntime, options: CallOptions): Promise<boolean> {
  const staying = verdict.names.filter(({ action }) => action === "keep");
  for (const { name, target } of staying) {
    const found = await runtime.findName(verdict.namespace, name, options);
    if (found?.target === target) return true;
  }
  return staying.length === 0;
}

const stopped: NameResult = { kind: "skipped", message: "the round was stopped" };
const unanswered = `the runtime did not answer ${silenceLimit} calls in a row`;

function isSilence(reason: FailureReason): boolean {
  return reason === "unavailable" || reason === "deadline";
}

function describeFailure(error: unknown): { readonly reason: FailureReason; readonly message: string } {
  if (error instanceof RuntimeError) return { reason: failureReason(error.code), message: error.message };
  return { reason: "unknown", message: error instanceof Error ? error.message : String(error) };
}

function isRemoval(verdict: NameVerdict): verdict is Removal {
  return verdict.action === "untag";
}

function firstRemoval(verdict: ImageVerdict): Removal | undefined {
  return verdict.names.find(isRemoval);
}

function isGone({ result }: NameOutcome): boolean {
  return result.kind === "removed" || result.kind === "already-gone";
}

/** Container events make the next check read again at once. Without events the checks are as fresh as `freshFor` says. */
function watchContainers(runtime: ContainerRuntime, revalidator: Revalidator): () => Promise<void> {
  const controller = new AbortController();
  const watching = (async () => {
    for await (const event of runtime.events(controller.signal)) {
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
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as Item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
