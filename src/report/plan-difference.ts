// What other settings would change: two plans for the same node, compared. Pure.
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import type { Reason } from "../decide/reason.ts";

/** What a plan would do, in numbers. */
export interface PlanTotals {
  readonly images: number;
  readonly names: number;
  readonly bytes: number;
}

/** An image or a name of it about which the two plans differ. */
export interface PlanChange {
  /** `goes`: the other settings remove it and those of now do not. `stays`: the other way round. */
  readonly change: "goes" | "stays";
  readonly namespace: string;
  readonly image: string;
  /** True when the whole image goes or stays, false when only the names do. */
  readonly whole: boolean;
  readonly names: readonly string[];
  /** Bytes that the image frees in the plan in which it goes; 0 for names alone. */
  readonly bytes: number;
  /** Why, under the other settings. */
  readonly reasons: readonly Reason<string>[];
}

export interface PlanDifference {
  readonly now: PlanTotals;
  readonly otherwise: PlanTotals;
  readonly changes: readonly PlanChange[];
}

/** Compares the plan of now with that of other settings. What goes comes first, in the order of removal. */
export function comparePlans(now: Plan, otherwise: Plan): PlanDifference {
  const before = byImage(now);
  const changes = otherwise.images.flatMap((verdict) => {
    const old = before.get(keyOf(verdict));
    return old === undefined ? [] : changesOf(old, verdict);
  });
  const ordered = [
    ...changes.filter(({ change }) => change === "goes"),
    ...changes.filter(({ change }) => change === "stays"),
  ];
  return { now: totalsOf(now), otherwise: totalsOf(otherwise), changes: ordered };
}

function changesOf(old: ImageVerdict, verdict: ImageVerdict): PlanChange[] {
  const about = { namespace: verdict.namespace, image: verdict.image.id, reasons: verdict.reasons };
  const names = verdict.names.map(({ name }) => name);
  if (old.action !== verdict.action) {
    const goes = verdict.action === "delete";
    const bytes = (goes ? verdict : old).bytesInPlan;
    return [{ ...about, change: goes ? "goes" : "stays", whole: true, names, bytes }];
  }
  const wentBefore = new Set(goingNames(old));
  const goesNow = new Set(goingNames(verdict));
  const part = { ...about, whole: false, bytes: 0 };
  const more = names.filter((name) => goesNow.has(name) && !wentBefore.has(name));
  const fewer = names.filter((name) => wentBefore.has(name) && !goesNow.has(name));
  return [
    ...(more.length > 0 ? [{ ...part, change: "goes", names: more, reasons: reasonsOf(verdict, more) } as const] : []),
    ...(fewer.length > 0
      ? [{ ...part, change: "stays", names: fewer, reasons: reasonsOf(verdict, fewer) } as const]
      : []),
  ];
}

function reasonsOf({ names }: ImageVerdict, chosen: readonly string[]): readonly Reason<string>[] {
  return names.find(({ name }) => name === chosen[0])?.reasons ?? [];
}

function goingNames({ names }: ImageVerdict): string[] {
  return names.filter(({ action }) => action === "untag").map(({ name }) => name);
}

function totalsOf({ images, plannedBytes }: Plan): PlanTotals {
  const names = images.reduce((sum, verdict) => sum + goingNames(verdict).length, 0);
  return { images: images.filter(({ action }) => action === "delete").length, names, bytes: plannedBytes };
}

function byImage({ images }: Plan): ReadonlyMap<string, ImageVerdict> {
  return new Map(images.map((verdict) => [keyOf(verdict), verdict]));
}

function keyOf({ namespace, image }: ImageVerdict): string {
  return `${namespace} ${image.target}`;
}
