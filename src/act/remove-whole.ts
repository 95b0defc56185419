// Removes one image with all its names, where the runtime cannot take names one by one.
import type { ImageVerdict } from "../decide/plan.ts";
import type { NameResult } from "./outcome.ts";
import { attempt, type ImageOutcome, isGone, isRemoval, nameOutcome, type RemovalRun } from "./removal-run.ts";

/** One removal, one outcome for each name. */
export async function removeWhole(verdict: ImageVerdict, run: RemovalRun): Promise<ImageOutcome> {
  const { clock, onName } = run.input;
  const startedAt = clock.elapsed();
  const removals = verdict.names.filter(isRemoval);
  const gone = new Set<string>();
  const result = removals.length < verdict.names.length ? stays : await removeImage(verdict, run, gone);
  // One removal took all of them: its time is shared out, so that it is not counted for each name.
  const seconds = (clock.elapsed() - startedAt) / 1000 / removals.length;
  const names = removals.map((removal) => {
    const own: NameResult = result.kind === "removed" && !gone.has(removal.name) ? { kind: "moved" } : result;
    const outcome = nameOutcome(verdict, removal, { result: own, seconds });
    onName?.(outcome);
    return outcome;
  });
  return { names, gone: isGone({ result }) };
}

/** Plans for such runtimes hold none like this; one that does is not carried out. */
const stays: NameResult = {
  kind: "skipped",
  message: "another name of the image stays, and this runtime cannot untag",
};

/** Fills `gone` with the names that went with the image. */
function removeImage(verdict: ImageVerdict, run: RemovalRun, gone: Set<string>): Promise<NameResult> {
  const { namespace, image, names } = verdict;
  return attempt(run, async ({ checking, removing }) => {
    const fresh = await run.revalidator.judge(namespace, image.target, checking);
    if (fresh.kind === "blind") return { kind: "skipped", message: fresh.message };
    if (fresh.verdict?.action === "keep") return { kind: "in-use", message: whyKept(fresh.verdict) };
    const known = names.map(({ name }) => name);
    const removed = await run.input.runtime.removeImage(namespace, { ...image, names: known }, removing());
    if (removed.kind === "renamed") return { kind: "in-use", message: `it is called ${removed.name} as well by now` };
    for (const name of removed.kind === "removed" ? removed.names : []) gone.add(name);
    for (const name of known) run.revalidator.nameGone(namespace, name);
    return { kind: removed.kind };
  });
}

function whyKept({ reasons }: ImageVerdict): string {
  return [...new Set(reasons.map(({ detail }) => detail))].join("; ");
}
