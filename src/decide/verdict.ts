// From decisions about names to the verdict on an image.
import type { ImageVerdict, NameVerdict } from "./plan.ts";
import type { Reason, RemoveCode } from "./reason.ts";
import type { NameDecision } from "./retention.ts";

/** What a verdict says about the names of an image. */
export type Named = Pick<ImageVerdict, "action" | "names" | "reasons">;

/** Why images go in this plan, beyond what the codes say. */
export type RemoveDetails = Readonly<Partial<Record<RemoveCode, string>>>;

/** The verdict of decisions, which are in byte order of the names: the image goes when none of its names stays. */
export function judgeByNames(decisions: readonly NameDecision[], details: RemoveDetails): Named {
  const names = inOrderOfRemoval(decisions).map((decision) => nameVerdict(decision, details));
  const isKept = (verdict: NameVerdict): boolean => verdict.action === "keep";
  const action = names.some(isKept) ? "keep" : "delete";
  const decisive = action === "delete" || names.every(isKept) ? names : names.filter(isKept);
  return { action, names, reasons: reasonsOf(decisive) };
}

// Tags go first and the ID name last, so that an interrupted removal never leaves a tag on half an image.
const removalOrder = { tag: 0, other: 0, "digest-reference": 1, dangling: 2, id: 3 } as const;

/** Nearly always the byte order is this order already. */
function inOrderOfRemoval(decisions: readonly NameDecision[]): readonly NameDecision[] {
  const order = (a: NameDecision, b: NameDecision): number => removalOrder[a.kind] - removalOrder[b.kind];
  const isThere = decisions.every((decision, i) => i === 0 || order(decisions[i - 1] ?? decision, decision) <= 0);
  return isThere ? decisions : decisions.toSorted(order);
}

/** True when no name stays. */
export function allGo(decisions: readonly NameDecision[]): boolean {
  return decisions.every(({ remove }) => remove !== undefined);
}

/** The same decisions for another cause. What the remove list means goes because of that in any case. */
export function because(decisions: readonly NameDecision[], code: RemoveCode): readonly NameDecision[] {
  return decisions.map((decision) =>
    decision.remove === undefined || decision.remove === "remove-list" ? decision : { ...decision, remove: code },
  );
}

/** The same decisions with one more reason for each name that stays. */
export function alsoKeptFor(decisions: readonly NameDecision[], reason: Reason): readonly NameDecision[] {
  return decisions.map((decision) =>
    decision.remove === undefined ? { ...decision, keep: [...decision.keep, reason] } : decision,
  );
}

/** All names stay, for this reason alone. */
export function allKeptFor(decisions: readonly NameDecision[], reason: Reason): readonly NameDecision[] {
  return decisions.map(({ name, kind }) => ({ name, kind, keep: [reason] }));
}

function nameVerdict({ name, keep, remove }: NameDecision, details: RemoveDetails): NameVerdict {
  if (remove === undefined) return { action: "keep", name: name.name, target: name.target, reasons: keep };
  const detail = details[remove];
  const reasons = detail === undefined ? removeReasons[remove] : [{ code: remove, detail }];
  return { action: "untag", name: name.name, target: name.target, reasons };
}

const removeReasons: Readonly<Record<RemoveCode, readonly Reason<RemoveCode>[]>> = {
  unused: [{ code: "unused", detail: "nothing uses the image" }],
  "spare-name": [{ code: "spare-name", detail: "the image stays under another name" }],
  dangling: [{ code: "dangling", detail: "the image has neither a tag nor a digest reference" }],
  "remove-list": [{ code: "remove-list", detail: "the remove list matches, and nothing uses it" }],
  pressure: [{ code: "pressure", detail: "space is needed, and nothing uses the image" }],
  "over-budget": [{ code: "over-budget", detail: "images take more than they may, and nothing uses this one" }],
};

/** Names of an image that goes nearly always share one list of reasons: then there is nothing to gather. */
function reasonsOf(verdicts: readonly NameVerdict[]): readonly Reason<string>[] {
  const first: readonly Reason<string>[] = verdicts[0]?.reasons ?? [];
  if (verdicts.every(({ reasons }) => reasons === first)) return uniqueReasons(first);
  return uniqueReasons(verdicts.flatMap((verdict): readonly Reason<string>[] => verdict.reasons));
}

/** So many are compared with one another sooner than remembered. */
const few = 8;

function isSame(one: Reason<string>, other: Reason<string>): boolean {
  return one === other || (one.code === other.code && one.detail === other.detail);
}

/** Each pair of code and detail once, in the order in which they come first. */
function uniqueReasons(reasons: readonly Reason<string>[]): readonly Reason<string>[] {
  if (reasons.length < 2) return reasons;
  if (reasons.length <= few) return reasons.filter((one, i) => reasons.findIndex((other) => isSame(one, other)) === i);
  const seen = new Map<string, Set<string>>();
  return reasons.filter(({ code, detail }) => {
    const details = seen.get(code);
    if (details === undefined) seen.set(code, new Set([detail]));
    else if (details.has(detail)) return false;
    else details.add(detail);
    return true;
  });
}
