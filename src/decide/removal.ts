// The plan of `rmi`: what happens when a person removes a name or an image. Behaves as Docker does with its containerd image
// store; the safe mode, which a live command uses, closes the gaps that this behaviour leaves.
import { isIdName, isIdPrefix, parseAny } from "../image/image-id.ts";
import { compareBytes } from "../image/order.ts";
import { familiarName, parseReference, type Reference, tryParseReference } from "../image/reference.ts";
import { asEngineDoes, digestReferenceAlone } from "./removal-by-engine.ts";
import { findUser, nameInUse, nameMaybeNeeded, neededByPod, type SoftConflicts } from "./removal-conflicts.ts";
import { deleteImage } from "./removal-delete.ts";
import { noSuchImage, type ResolvedImage, resolveForRemoval } from "./removal-resolve.ts";
import { sameReferences } from "./removal-same-reference.ts";
import { isCriManaged, type Situation } from "./removal-situation.ts";
import { accepted, softDeleteSteps, untagSteps } from "./removal-steps.ts";
import type { RefusedRemoval, RemovalPlan, RemovalRecord, RemovalRequest, RemovalStep } from "./removal-types.ts";

/**
 * Plans the removal of what `ref` names: of one name while the image keeps others, of the image with all its names
 * otherwise. The same request gives the same plan in whatever order the records come; of several containers that stand in
 * the way the first one given is named.
 */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  return asEngineDoes(planSteps(request), request);
}

function planSteps(request: RemovalRequest): RemovalPlan {
  const records = request.records.toSorted((a, b) => compareBytes(a.name, b.name));
  const image = resolveForRemoval(records, request.ref);
  if (image.kind === "refused") return image;
  const situation: Situation = { request, image, records, criManaged: isCriManaged(request, image) };
  const { exact } = image;
  // CRI's ID name is how CRI finds the image: to remove it alone would hide an image that is still there.
  if (exact === undefined || (situation.criManaged && isIdName(exact.name))) return planByContent(situation);
  return planByName(situation, exact);
}

/** The records that are left when the plan has been carried out, in byte order of their names. */
export function applyRemoval(
  records: readonly RemovalRecord[],
  plan: Pick<RemovalPlan, "steps">,
): readonly RemovalRecord[] {
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
  const named = meansId(request.ref, image) ? undefined : tryParseReference(request.ref);
  const same = sameReferences(named, image.all);
  if (named !== undefined && same.length === 0) return noSuchImage(named);
  if (named !== undefined && same.length < image.all.length) return untag(situation, same, named);
  return deleteImage(situation, {
    stopped: !forced(request),
    severalNames: !request.force && same.length < image.all.length,
  });
}

/** A record bears the name that was given. A name that also begins the image's own ID still means the image. */
function planByName(situation: Situation, exact: RemovalRecord): RemovalPlan {
  const { request, image, criManaged } = situation;
  const { force } = request;
  if (isIdPrefix(request.ref, image.target)) {
    return deleteImage(situation, { stopped: !forced(request), severalNames: !force });
  }
  const alone = digestReferenceAlone(situation, exact);
  if (alone !== undefined) return alone;
  const reference = parseReference(exact.name);
  const same = sameReferences(reference, image.all);
  if (same.length < image.all.length) return untag(situation, same, reference);
  const shownName = familiarName(reference);
  const user = findUser(image.target, request.containers);
  if (user !== undefined && !forced(request)) return nameInUse(shownName, image.target, user);
  if (user !== undefined && !criManaged) {
    return accepted(softDeleteSteps(exact, shownName, image.all.length === 1));
  }
  const soft: SoftConflicts = { stopped: !forced(request), severalNames: !force && image.all.length === 1 };
  return deleteImage(situation, soft, shownName);
}

/** True when force goes past containers: a Docker Engine is never asked for that. */
function forced({ force, engine }: RemovalRequest): boolean {
  return force && engine === undefined;
}

/** Takes names away from an image that keeps others. Containers do not mind: they run content. Pods ask for names. */
function untag(situation: Situation, same: readonly RemovalRecord[], named: Reference): RemovalPlan {
  const { criManaged } = situation;
  // CRI finds every image through its ID name: it goes with the last of the others, not before.
  const going = criManaged ? same.filter(({ name }) => !isIdName(name)) : same;
  if (going.length === 0) return noSuchImage(named);
  return refusedUntag(situation, going, familiarName(named)) ?? accepted(untagSteps(going));
}

function refusedUntag(
  { request, image, criManaged }: Situation,
  going: readonly RemovalRecord[],
  shownName: string,
): RefusedRemoval | undefined {
  if (request.force) return undefined;
  const need = request.pods?.find(({ names }) => going.some(({ name }) => names.has(name)));
  if (need !== undefined) return neededByPod(shownName, need);
  const user = criManaged && request.podsUnknown ? findUser(image.target, request.containers) : undefined;
  return user === undefined ? undefined : nameMaybeNeeded(shownName, user);
}

/** True when `ref` is one of the image's IDs or begins one. */
function meansId(ref: string, { target, all }: ResolvedImage): boolean {
  if (parseAny(ref).kind === "id") return true;
  return [target, ...all.flatMap(({ digests = [] }) => digests)].some((digest) => isIdPrefix(ref, digest));
}

function createdRecord(step: RemovalStep & { kind: "create-dangling" }): RemovalRecord {
  const { name, target, parent, labels } = step;
  return { name, target, ...(parent === undefined ? {} : { parent }), ...(labels === undefined ? {} : { labels }) };
}
