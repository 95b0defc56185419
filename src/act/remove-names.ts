// Removes the names of one image that are to go, each on its own.
import { classifyName } from "../decide/name-kind.ts";
import type { ImageVerdict } from "../decide/plan.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import type { NameOutcome, NameResult } from "./outcome.ts";
import {
  attempt,
  type ImageOutcome,
  isGone,
  isRemoval,
  nameOutcome,
  type Removal,
  type RemovalRun,
} from "./removal-run.ts";

/** Names of one image go one after the other: tags first, the ID name last. */
export async function removeNames(verdict: ImageVerdict, run: RemovalRun): Promise<ImageOutcome> {
  const { clock, onName } = run.input;
  const names: NameOutcome[] = [];
  for (const removal of verdict.names.filter(isRemoval)) {
    const startedAt = clock.elapsed();
    const result = await resultOf(verdict, { removal, before: names }, run);
    const outcome = nameOutcome(verdict, removal, { result, seconds: (clock.elapsed() - startedAt) / 1000 });
    onName?.(outcome);
    names.push(outcome);
  }
  return { names, gone: names.every(isGone) };
}

const waits: NameResult = { kind: "skipped", message: "another name of the image could not be removed" };

interface Next {
  readonly removal: Removal;
  readonly before: readonly NameOutcome[];
}

/**
 * Digest references and ID names live with the tags of their image: when a tag is still there, they stay as well. Of a tag
 * that something needs now they are judged anew, to tell why they stay.
 */
async function resultOf(verdict: ImageVerdict, { removal, before }: Next, run: RemovalRun): Promise<NameResult> {
  const { kind } = classifyName(removal);
  const isCompanion = kind === "digest-reference" || kind === "id";
  const isThere = (...kinds: NameResult["kind"][]): boolean => before.some(({ result }) => kinds.includes(result.kind));
  if (isCompanion && isThere("failed", "skipped")) return waits;
  return removeName(verdict, { removal, mayGo: !(isCompanion && isThere("in-use")) }, run);
}

interface Judged {
  readonly removal: Removal;
  /** False: it stays in any case, because the runtime knows of a use that no check could see yet. */
  readonly mayGo: boolean;
}

function removeName(verdict: ImageVerdict, { removal, mayGo }: Judged, run: RemovalRun): Promise<NameResult> {
  const { name, target } = removal;
  const { runtime } = run.input;
  return attempt(run, async ({ checking, removing }) => {
    const fresh = await run.revalidator.judge(verdict.namespace, target, checking);
    if (fresh.kind === "blind") return { kind: "skipped", message: fresh.message };
    const now = fresh.verdict?.names.find((candidate) => candidate.name === name);
    if (now?.action === "keep") return { kind: "in-use", message: now.reasons.map((r) => r.detail).join("; ") };
    const anchored = fresh.verdict === undefined || (await isAnchored(fresh.verdict, runtime, checking));
    if (!anchored) return { kind: "in-use", message: "the names that were to stay are gone, so this one stays" };
    if (!mayGo) return waits;
    const whole = verdict.action === "delete";
    const kind = await runtime.removeName(verdict.namespace, name, target, { ...removing(), whole });
    run.revalidator.nameGone(verdict.namespace, name);
    return { kind };
  });
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
