// The plan of `rmi`: what happens when a person removes a name or an image. Behaves as Docker does with its containerd image
// store; the safe mode, which a live command uses, closes the gaps that this behaviour leaves.
import type { Digest } from "../image/digest.ts";
import { isIdPrefix } from "../image/image-id.ts";
import { compareBytes } from "../image/order.ts";
import { familiarName, parseReference, tryParseReference } from "../image/reference.ts";
import { findConflict, findUser, nameInUse, type SoftConflicts } from "./removal-conflicts.ts";
import { hasChildren, parentChain } from "./removal-parents.ts";
import { noSuchImage, type ResolvedImage, resolveForRemoval } from "./removal-resolve.ts";
import { sameReferences } from "./removal-same-reference.ts";
import {
  createDangling,
  deleteImageSteps,
  deleteParentStep,
  reportsOf,
  softDeleteSteps,
  untagSteps,
} from "./removal-steps.ts";
import {
  type RefusedRemoval,
  type RemovalPlan,
  type RemovalRecord,
  type RemovalRequest,
  type RemovalStep,
  refusal,
} from "./removal-types.ts";

/** What has been found out about a request: the image that is meant, and the records in the order of the store. */
interface Situation {
  readonly request: RemovalRequest;
  readonly image: ResolvedImage;
  readonly records: readonly RemovalRecord[];
}

/**
 * Plans the removal of what `ref` names: of one name while the image keeps others, of the image with all its names
 * otherwise. The same request gives the same plan in whatever order the records come; of several containers that stand in
 * the way the first one given is named.
 */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  const records = request.records.toSorted((a, b) => compareBytes(a.name, b.name));
  const image = resolveForRemoval(records, request.ref);
  if (image.kind === "refused") return image;
  const situation = { request, image, records };
  return image.exact === undefined ? planByContent(situation) : planByName(situation, image.exact);
}

/** The records that are left when the plan has been carried out, in byte order of their names. */
export function applyRemoval(records: readonly RemovalRecord[], plan: RemovalPlan): readonly RemovalRecord[] {
  const left = new Map(records.map((record) => [record.name, record]));
  for (const step of plan.steps) {
    if (step.kind !== "create-dangling") left.delete(step.name);
    else if (!left.has(step.name)) left.set(step.name, createdRecord(step));
  }
  return [...left.values()].sort((a, b) => compareBytes(a.name, b.name));
}

/** The image was named by its ID, by a part of it, or by a digest that no record bears. */
function planByContent(situation: Situation): RemovalPlan {
  const { request, image } = situation;
  const named = isIdPrefix(request.ref, image.target) ? undefined : tryParseReference(request.ref);
  const same = sameReferences(named, image.all);
  if (named !== undefined && same.length === 0) return noSuchImage(named);
  if (named !== undefined && same.length < image.all.length) return accepted(untagSteps(same));
  return deleteImage(situation, {
    stopped: !request.force,
    severalNames: !request.force && same.length < image.all.length,
  });
}

/** A record bears the name that was given. A name that also begins the image's own ID still means the image. */
function planByName(situation: Situation, exact: RemovalRecord): RemovalPlan {
  const { request, image } = situation;
  const { force } = request;
  if (isIdPrefix(request.ref, image.target)) {
    return deleteImage(situation, { stopped: !force, severalNames: !force });
  }
  const reference = parseReference(exact.name);
  const same = sameReferences(reference, image.all);
  if (same.length < image.all.length) return accepted(untagSteps(same));
  const user = findUser(image.target, request.containers);
  if (user !== undefined) {
    const shownName = familiarName(reference);
    if (!force) return nameInUse(shownName, image.target, user);
    return accepted(softDeleteSteps(exact, shownName, image.all.length === 1));
  }
  return deleteImage(situation, { stopped: !force, severalNames: !force && image.all.length === 1 });
}

function deleteImage(situation: Situation, soft: SoftConflicts): RemovalPlan {
  const { request, image } = situation;
  const conflict = conflictWith(situation, image.target, soft);
  if (conflict !== undefined) return conflict;
  const { steps, problem } = deleteImageSteps(image);
  if (problem !== undefined) return brokenOff(problem, request.safe === true ? [] : steps);
  const dangling = danglingForChildren(situation, soft);
  return accepted([...dangling, ...steps, ...parentSteps(situation)]);
}

/**
 * A parent that loses its only name stays as a dangling image, so that its children keep their history. The reference
 * behaviour ties this to the check for several names: it does not happen with force, nor when the image was named by ID.
 */
function danglingForChildren({ image, records }: Situation, soft: SoftConflicts): readonly RemovalStep[] {
  const [only, ...others] = image.all;
  if (only === undefined || others.length > 0 || !soft.severalNames) return [];
  return hasChildren(records, image.target) ? createDangling(only, only.labels) : [];
}

/** Dangling parents go along, nearest first, until one is in use or has a name. Force does not reach them. */
function parentSteps(situation: Situation): readonly RemovalStep[] {
  const { request, image, records } = situation;
  const steps: RemovalStep[] = [];
  if (request.noPrune) return steps;
  for (const parent of parentChain(records, image.target)) {
    const step = deleteParentStep(parent);
    if (step === undefined) break;
    if (conflictWith(situation, parent.target, { stopped: true, severalNames: true }) !== undefined) break;
    steps.push(step);
  }
  return steps;
}

/** For a parent, too, the names of the image itself are counted: this keeps parents of images with several names. */
function conflictWith({ request, image }: Situation, target: Digest, soft: SoftConflicts): RefusedRemoval | undefined {
  const { containers, safe = false } = request;
  return findConflict({ target, nameCount: image.all.length, containers, mountsCount: safe }, soft);
}

function accepted(steps: readonly RemovalStep[]): RemovalPlan {
  const { report, events } = reportsOf(steps);
  return { kind: "removal", steps, report, events };
}

function brokenOff(message: string, steps: readonly RemovalStep[]): RefusedRemoval {
  return { ...refusal(500, message), steps, events: reportsOf(steps).events };
}

function createdRecord(step: RemovalStep & { kind: "create-dangling" }): RemovalRecord {
  const { name, target, parent, labels } = step;
  return { name, target, ...(parent === undefined ? {} : { parent }), ...(labels === undefined ? {} : { labels }) };
}
