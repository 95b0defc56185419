// Judging a plan again while it is carried out: names are missing by then, and that alone must not change what was decided.
import type { Digest } from "../image/digest.ts";
import { type Choice, decisionsIn } from "./choose.ts";
import { type JudgedNamespace, ofEachImage } from "./judge.ts";
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
export function sameChoice(before: Plan, judged: readonly JudgedNamespace[]): Choice {
  const going = new Map<string, Set<Digest>>();
  for (const { action, namespace, image } of before.images) {
    if (action === "delete") going.set(namespace, (going.get(namespace) ?? new Set()).add(image.target));
  }
  const isGoing = ({ namespace, index }: JudgedNamespace, at: number): boolean => {
    const target = index.images[at]?.image.target;
    return target !== undefined && going.get(namespace)?.has(target) === true;
  };
  const strongest = ({ decisions }: JudgedNamespace) => [...decisions.keys()].at(-1) ?? "routine";
  const goes = ofEachImage(judged, isGoing);
  return {
    taken: [...goes.keys()].filter((number) => goes[number]).map((number) => ({ number, code: undefined })),
    brakes: [],
    decisionsOf: (one, at) => decisionsIn(one, at, goes[one.first + at] ? strongest(one) : "routine"),
  };
}
