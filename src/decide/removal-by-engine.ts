// What a Docker Engine does in another way than the plan of a removal has it: it is never forced, and a graph driver keeps
// parents beneath their children (spec: delete, section 8).
import { type Reference, tryParseReference } from "../image/reference.ts";
import { hasDependents } from "./removal-conflicts.ts";
import type { Situation } from "./removal-situation.ts";
import { accepted, untagSteps } from "./removal-steps.ts";
import type { RefusedRemoval, RemovalPlan, RemovalRecord } from "./removal-types.ts";

/** The plan as an engine carries it out. The same plan where no engine does. */
export function asEngineDoes(plan: RemovalPlan, { engine, force }: Situation["request"]): RemovalPlan {
  return engine !== undefined && force && plan.kind === "refused" ? unforced(plan) : plan;
}

/** On a graph driver a digest reference is a name like any other, and goes alone. */
export function digestReferenceAlone({ request, image }: Situation, exact: RemovalRecord): RemovalPlan | undefined {
  if (request.engine !== "graph-driver" || image.all.length < 2) return undefined;
  return isDigestReference(tryParseReference(exact.name)) ? accepted(untagSteps([exact])) : undefined;
}

/**
 * On a graph driver an image stays beneath those that were built on it: named by ID it cannot be deleted, named by its last
 * name it loses the name only.
 */
export function keptForChildren({ request, image }: Situation, byName: boolean): RemovalPlan | undefined {
  if (request.engine !== "graph-driver" || request.parents?.has(image.target) !== true) return undefined;
  if (!byName) return hasDependents(image.target);
  return accepted(untagSteps(image.all).map((step) => ({ ...step, kind: "delete" })));
}

/** What only Docker's own force goes past cannot be forced here. */
function unforced(plan: RefusedRemoval): RefusedRemoval {
  const kind = plan.conflict?.kind;
  if (plan.conflict === undefined || (kind !== "stopped-container" && kind !== "name-in-use")) return plan;
  const message = plan.message.replace("(must be forced)", "(cannot be forced)");
  return { ...plan, message, conflict: { ...plan.conflict, forcible: false } };
}

function isDigestReference(reference: Reference | undefined): boolean {
  return reference?.digest !== undefined && reference.tag === undefined;
}
