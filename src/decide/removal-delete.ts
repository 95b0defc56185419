// Deleting an image with all its names: what may stand in the way, what stays for its children, which parents go along.
import type { Digest } from "../image/digest.ts";
import { shortHex } from "../image/digest.ts";
import { keptForChildren } from "./removal-by-engine.ts";
import { findConflict, neededByPod, pinnedImage, type SoftConflicts } from "./removal-conflicts.ts";
import { hasChildren, parentChain } from "./removal-parents.ts";
import type { Situation } from "./removal-situation.ts";
import { accepted, createDangling, deleteImageSteps, deleteParentStep, reportsOf } from "./removal-steps.ts";
import { type RefusedRemoval, type RemovalPlan, type RemovalStep, refusal } from "./removal-types.ts";

/** Plans the deletion. `shownName` is the name that was given, if it was one. */
export function deleteImage(situation: Situation, soft: SoftConflicts, shownName?: string): RemovalPlan {
  const { request, image } = situation;
  const conflict = conflictWith(situation, { target: image.target, soft, force: request.force, shownName });
  if (conflict !== undefined) return conflict;
  const beneath = keptForChildren(situation, shownName !== undefined);
  if (beneath !== undefined) return beneath;
  const { steps, problem } = deleteImageSteps(image);
  if (problem !== undefined) return brokenOff(problem, request.safe === true ? [] : steps);
  const dangling = danglingForChildren(situation, soft);
  // Named by its ID, an image is not kept for its children.
  const whole = steps.map((step) => (soft.severalNames || step.kind !== "delete" ? step : { ...step, whole: true }));
  return accepted([...dangling, ...whole, ...parentSteps(situation)]);
}

/**
 * A parent that loses its only name stays as a dangling image, so that its children keep their history. The reference
 * behaviour ties this to the check for several names: it does not happen with force, nor when the image was named by ID.
 * CRI would show such a record as a strange image, and has no use for parents.
 */
function danglingForChildren(
  { request, image, records, criManaged }: Situation,
  soft: SoftConflicts,
): readonly RemovalStep[] {
  const [only, ...others] = image.all;
  if (criManaged || request.engine !== undefined || only === undefined || others.length > 0 || !soft.severalNames)
    return [];
  return hasChildren(records, image.target) ? createDangling(only, only.labels) : [];
}

/** Dangling parents go along, nearest first, until one is in use or has a name. Force does not reach them. */
function parentSteps(situation: Situation): readonly RemovalStep[] {
  const { request, image, records } = situation;
  const steps: RemovalStep[] = [];
  if (request.noPrune) return steps;
  const soft = { stopped: true, severalNames: true };
  for (const parent of parentChain(records, image.target)) {
    const step = deleteParentStep(parent);
    if (step === undefined) break;
    if (conflictWith(situation, { target: parent.target, soft, force: false }) !== undefined) break;
    steps.push(step);
  }
  return steps;
}

interface Question {
  readonly target: Digest;
  readonly soft: SoftConflicts;
  readonly force: boolean;
  readonly shownName?: string | undefined;
}

/** For a parent, too, the names of the image itself are counted: this keeps parents of images with several names. */
function conflictWith(situation: Situation, question: Question): RefusedRemoval | undefined {
  const { request, image } = situation;
  const { containers, safe = false, untag = true } = request;
  const candidate = { target: question.target, nameCount: image.all.length, containers, mountsCount: safe };
  const soft = untag ? question.soft : { ...question.soft, severalNames: false };
  return findConflict(candidate, soft, question.force ? undefined : wish(situation, question));
}

/** What force goes past besides containers and names: pods, and the pin of the runtime. */
function wish(situation: Situation, { target, shownName = shortHex(target) }: Question): RefusedRemoval | undefined {
  const { request, records } = situation;
  const need = findNeed(situation, target);
  if (need !== undefined) return neededByPod(shownName, need);
  const pinned = request.safe && records.some((record) => record.target === target && record.pinned);
  return pinned ? pinnedImage(shownName) : undefined;
}

/** The first pod that needs the image, by any of its names or by its content. */
function findNeed({ request, records }: Situation, target: Digest) {
  const names = records.filter((record) => record.target === target).map(({ name }) => name);
  return request.pods?.find((need) => need.targets.has(target) || names.some((name) => need.names.has(name)));
}

function brokenOff(message: string, steps: readonly RemovalStep[]): RefusedRemoval {
  return { ...refusal(500, message), steps, events: reportsOf(steps).events };
}
