// What stands in the way of removing an image, in the order and the words of the reference behaviour.
import { type Digest, shortHex } from "../image/digest.ts";
import {
  type PodNeed,
  type RefusedRemoval,
  type RemovalConflict,
  type RemovalRecord,
  type RemovalUse,
  refusal,
} from "./removal-types.ts";

/** The conflicts to look for besides running containers, which always count. */
export interface SoftConflicts {
  readonly stopped: boolean;
  readonly severalNames: boolean;
}

/** An image about to go, and who might mind. */
export interface RemovalCandidate {
  readonly target: Digest;
  /** How many records the image has. */
  readonly nameCount: number;
  readonly containers: readonly RemovalUse[];
  /** Whether a mounted image counts as used. */
  readonly mountsCount: boolean;
}

/** The first conflict with deleting the image, or undefined when nothing minds. `other` comes after containers. */
export function findConflict(
  candidate: RemovalCandidate,
  soft: SoftConflicts,
  other?: RefusedRemoval,
): RefusedRemoval | undefined {
  const users = candidate.containers.filter((use) => isUse(use, candidate.target, candidate.mountsCount));
  const running = users.find((use) => use.running);
  if (running !== undefined) return containerConflict(candidate.target, running);
  const stopped = users.at(0);
  if (soft.stopped && stopped !== undefined) return containerConflict(candidate.target, stopped);
  if (other !== undefined) return other;
  if (soft.severalNames && candidate.nameCount > 1) return namesConflict(candidate.target);
  return undefined;
}

/** The first container in any state that uses the image or has it mounted. */
export function findUser(target: Digest, containers: readonly RemovalUse[]): RemovalUse | undefined {
  return containers.find((use) => isUse(use, target, true));
}

/** The refusal to remove the last name of an image that a container uses. `shownName` is the name as people write it. */
export function nameInUse(shownName: string, target: Digest, user: RemovalUse): RefusedRemoval {
  const why = `container ${named(user)} is using its referenced image ${shortHex(target)}`;
  return conflictRefusal(shownName, why, byContainer("name-in-use", true, user));
}

/** The refusal to remove what a pod needs. `shown` is the name, or the beginning of the ID, as people write it. */
export function neededByPod(shown: string, need: PodNeed): RefusedRemoval {
  const why = `image is needed by pod ${need.pod} (${need.phase || "no phase"})`;
  return conflictRefusal(shown, why, { kind: "needed-by-pod", forcible: true, pod: need.pod });
}

/** The refusal to delete an image that the runtime marks as pinned. */
export function pinnedImage(shown: string): RefusedRemoval {
  return conflictRefusal(shown, "image is pinned", { kind: "pinned", forcible: true });
}

/** The refusal to remove one of several names of an image in use while nobody tells which of them is needed. */
export function nameMaybeNeeded(shownName: string, user: RemovalUse): RefusedRemoval {
  const why = `container ${named(user)} is using its image, and which of its names are needed is not known without the pods`;
  return conflictRefusal(shownName, why, byContainer("name-in-use", true, user));
}

/** The refusal to remove one of several names where the runtime removes images whole. */
export function cannotUntag(name: string, stays: Pick<RemovalRecord, "name" | "target">): RefusedRemoval {
  const why = `this runtime cannot remove one name alone, and ${stays.name} is the same image: remove it whole by its ID ${shortHex(stays.target)}`;
  return refusal(409, `conflict: unable to delete ${name} (cannot be forced) - ${why}`, {
    conflict: { kind: "cannot-untag", forcible: false },
  });
}

/** The refusal to take an ID name with which CRI finds another image as well. */
export function sharesId(name: string, stays: Pick<RemovalRecord, "name">): RefusedRemoval {
  const why = `${stays.name} has the same image ID, and CRI would not find it any more: remove that first`;
  return refusal(409, `conflict: unable to delete ${name} (must be forced) - ${why}`, {
    conflict: { kind: "shared-id", forcible: true },
  });
}

/** The refusal to delete an image that others were built on, where the runtime stores it beneath them. */
export function hasDependents(target: Digest): RefusedRemoval {
  return conflictRefusal(shortHex(target), "image has dependent child images", { kind: "children", forcible: false });
}

function isUse(use: RemovalUse, target: Digest, mountsCount: boolean): boolean {
  return use.target === target || (mountsCount && use.imageMountOf === target);
}

function containerConflict(target: Digest, user: RemovalUse): RefusedRemoval {
  const state = user.running ? "running" : "stopped";
  const why = `image is being used by ${state} container ${named(user)}`;
  const kind = user.running ? "running-container" : "stopped-container";
  return conflictRefusal(shortHex(target), why, byContainer(kind, !user.running, user));
}

function namesConflict(target: Digest): RefusedRemoval {
  const why = "image is referenced in multiple repositories";
  return conflictRefusal(shortHex(target), why, { kind: "several-names", forcible: true });
}

function byContainer(kind: RemovalConflict["kind"], forcible: boolean, user: RemovalUse): RemovalConflict {
  return { kind, forcible, container: user.id, ...(user.pod === undefined ? {} : { pod: user.pod }) };
}

/** The container as messages name it, with its pod when it has one. */
function named({ id, pod }: RemovalUse): string {
  return pod === undefined ? shortHex(id) : `${shortHex(id)} of pod ${pod}`;
}

function conflictRefusal(what: string, why: string, conflict: RemovalConflict): RefusedRemoval {
  const mend = conflict.forcible ? "must be forced" : "cannot be forced";
  return refusal(409, `conflict: unable to delete ${what} (${mend}) - ${why}`, { conflict });
}
