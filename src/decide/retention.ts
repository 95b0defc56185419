// Which names of one image stay, once it is known which are needed: last names, companions of tags, ID names.
import type { ImageName } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { NameKind } from "./name-kind.ts";
import type { Reason, RemoveCode } from "./reason.ts";

/** One name of an image with everything that speaks for it. `reasons` is empty when nothing does. */
export interface JudgedName {
  readonly name: ImageName;
  readonly kind: NameKind;
  readonly repository: string | undefined;
  readonly reasons: readonly Reason[];
  /** True when the remove list means it. */
  readonly listed: boolean;
}

export interface RetentionInput {
  /** All names of the image, in byte order. */
  readonly names: readonly JudgedName[];
  /** Why the image's content is in use; empty when it is not. */
  readonly imageUses: readonly Reason[];
}

/** A name that goes has no reasons to stay and a code that says why it goes. */
export interface NameDecision {
  readonly name: ImageName;
  readonly kind: NameKind;
  readonly keep: readonly Reason[];
  readonly remove?: RemoveCode;
}

/**
 * The reference behaviour (spec: prune, section 2.7): names are taken in byte order; the last one of an image in use stays
 * unless another one stays anyway.
 */
export function retainLastName({ names, imageUses }: RetentionInput): NameDecision[] {
  const stays = names.some((name) => name.reasons.length > 0);
  const spared = stays || imageUses.length === 0 ? undefined : names.at(-1);
  const survives = stays || spared !== undefined;
  return names.map((judged) => {
    if (judged === spared) return { name: judged.name, kind: judged.kind, keep: lastName(imageUses) };
    return decided(judged, judged.reasons, survives);
  });
}

/** What a name of a CRI-managed image needs to know beyond the image itself. */
export interface CriRetentionInput extends RetentionInput {
  /** Where nobody tells which tags the pods need: who uses the image, by content or by name. All its names stay then. */
  readonly unknownUsers?: readonly Reason[];
}

/**
 * The rules for names that CRI manages (design: Identity, rules 1 to 6): digest references live with the tags of their
 * repository, the ID name lives with any other name or use, and an image is never left without a tag or digest reference
 * as long as it had one.
 */
export function retainCriNames(input: CriRetentionInput): NameDecision[] {
  const { names } = input;
  if (nothingStays(input)) return names.map((judged) => decided(judged, none, false));
  const keep: Kept = names.map((name) => whyNeeded(name, input));
  keepCompanionsOfTags(names, keep);
  keepLastReadable(input, keep);
  keepIdNames(input, keep);
  const stays = keep.some(isKept);
  return names.map((judged, i) => decided(judged, keep[i] ?? none, stays));
}

const none: readonly Reason[] = [];

function nothingStays({ names, imageUses }: RetentionInput): boolean {
  return imageUses.length === 0 && names.every(({ reasons }) => reasons.length === 0);
}

/** Why each name stays, in the order of the names; undefined as long as nothing keeps it. */
type Kept = (readonly Reason[] | undefined)[];

function isKept(reasons: readonly Reason[] | undefined): boolean {
  return reasons !== undefined;
}

function whyNeeded({ reasons }: JudgedName, { unknownUsers = none }: CriRetentionInput): readonly Reason[] | undefined {
  if (reasons.length > 0) return reasons;
  return unknownUsers.length > 0 ? [noPodSource(unknownUsers)] : undefined;
}

function keepCompanionsOfTags(names: readonly JudgedName[], keep: Kept): void {
  names.forEach((name, i) => {
    if (name.kind !== "digest-reference" || isKept(keep[i])) return;
    const tag = names.find(
      (other, j) => other.kind === "tag" && isKept(keep[j]) && other.repository === name.repository,
    );
    if (tag !== undefined) keep[i] = [{ code: "companion-of-tag", detail: `${tag.name.name} stays` }];
  });
}

/** An image that stays keeps a name that people and kubelets can ask for: an ID name alone would make it dangling. */
function keepLastReadable({ names, imageUses }: CriRetentionInput, keep: Kept): void {
  const stays = imageUses.length > 0 || keep.some(isKept);
  if (!stays || names.some((name, i) => isReadable(name) && isKept(keep[i]))) return;
  const last = lastInOrder(names);
  const at = last === undefined ? -1 : names.indexOf(last);
  if (at < 0 || isKept(keep[at])) return;
  keep[at] = lastName(imageUses.length > 0 ? imageUses : keep.flatMap((reasons) => reasons ?? none));
  keepCompanionsOfTags(names, keep);
}

function keepIdNames({ names, imageUses }: CriRetentionInput, keep: Kept): void {
  if (imageUses.length === 0 && !keep.some(isKept)) return;
  names.forEach(({ kind }, i) => {
    if (kind === "id") keep[i] ??= companionsOfImage;
  });
}

const companionOfImage: Reason = {
  code: "companion-of-image",
  detail: "the ID name stays with the other names and uses of the image",
};

const companionsOfImage: readonly Reason[] = [companionOfImage];

/** True for a name that people and kubelets can ask for. */
export function isReadable(name: { readonly kind: NameKind }): boolean {
  return name.kind !== "id" && name.kind !== "dangling";
}

const preference: Readonly<Record<NameKind, number>> = { dangling: 0, id: 1, "digest-reference": 2, other: 3, tag: 4 };

/** The name that stays when one must: a tag before a digest reference before the ID name, the last in byte order. */
export function lastInOrder<Name extends Pick<JudgedName, "name" | "kind">>(names: readonly Name[]): Name | undefined {
  const sorted = [...names].sort(
    (a, b) => preference[a.kind] - preference[b.kind] || compareBytes(a.name.name, b.name.name),
  );
  return sorted.at(-1);
}

function noPodSource(users: readonly Reason[]): Reason {
  const user = users[0]?.detail ?? "something";
  return { code: "no-pod-source", detail: `the image is in use (${user}) and nobody tells which names are needed` };
}

function lastName(because: readonly Reason[]): Reason[] {
  return [{ code: "last-name", detail: "the last name of an image that stays" }, ...because];
}

function decided(judged: JudgedName, keep: readonly Reason[], imageStays: boolean): NameDecision {
  const { name, kind, listed } = judged;
  if (keep.length > 0) return { name, kind, keep };
  if (listed) return { name, kind, keep, remove: "remove-list" };
  if (imageStays && kind !== "dangling") return { name, kind, keep, remove: "spare-name" };
  return letGo(name, kind);
}

/** A name of an image that nothing speaks for: it goes. */
export function letGo(name: ImageName, kind: NameKind): NameDecision {
  return { name, kind, keep: none, remove: kind === "dangling" ? "dangling" : "unused" };
}
