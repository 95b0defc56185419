// Judging a plan again while it is carried out: names are missing by then, and that alone must not change what was decided.
import type { Digest } from "../image/digest.ts";
import { type Choice, decisionsIn, type Subject } from "./choose.ts";
import type { Plan } from "./plan.ts";

/** What a namespace was like when the plan was made. */
export interface Before {
  /** All names of each image. */
  readonly names: ReadonlyMap<Digest, readonly string[]>;
  /** Names that stayed as the newest of their repositories. Others do not become the newest because newer ones go. */
  readonly newest: ReadonlySet<string>;
}

/** Reads off a plan what its namespace was like. */
export function beforeIn(plan: Plan, namespace: string): Before {
  const verdicts = plan.images.filter((verdict) => verdict.namespace === namespace);
  const newest = verdicts.flatMap(({ names }) =>
    names.filter(({ reasons }) => reasons.some(({ code }) => code === "newest-of-repository")),
  );
  return {
    names: new Map(verdicts.map(({ image, names }) => [image.target, names.map(({ name }) => name)])),
    newest: new Set(newest.map(({ name }) => name)),
  };
}

/** What a plan removes may still go when it could be chosen now, and nothing else is chosen: how much is needed was said before. */
export function sameChoice(before: Plan, subjects: readonly Subject[]): Choice {
  const going = new Map<string, Set<Digest>>();
  for (const { action, namespace, image } of before.images) {
    if (action === "delete") going.set(namespace, (going.get(namespace) ?? new Set()).add(image.target));
  }
  const isGoing = ({ judged, entry }: Subject): boolean =>
    going.get(judged.namespace)?.has(entry.image.target) ?? false;
  const strongest = (subject: Subject) => [...subject.judged.decisions.keys()].at(-1) ?? "routine";
  return {
    taken: subjects.filter(isGoing).map(({ number }) => ({ number, code: undefined })),
    brakes: [],
    decisionsOf: (subject) => decisionsIn(subject, isGoing(subject) ? strongest(subject) : "routine"),
  };
}
