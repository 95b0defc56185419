// Which of the judged images go in this plan: all that the policy lets go, what a demand and the budget add, less what brakes cut.
import type { Instant } from "../image/node-state.ts";
import { applyBrakes, type Brake } from "./brake.ts";
import { type Demand, type DemandMode, demandModes } from "./demand.ts";
import type { IndexedImage } from "./image-index.ts";
import type { ImageSight } from "./image-sight.ts";
import type { JudgedNamespace } from "./judge.ts";
import { orders } from "./order.ts";
import { ancestorsOf, type Parents } from "./parents.ts";
import type { Policy } from "./policy.ts";
import type { Reason } from "./reason.ts";
import type { NameDecision } from "./retention.ts";
import { type Removable, type Selection, type Stretch, select, type Taken } from "./selection.ts";
import type { SharedContent } from "./shared-content.ts";
import { isSharedIdName } from "./shared-id.ts";
import { allGo, allKeptFor, alsoKeptFor, because } from "./verdict.ts";

/** An image with its number in the shared content, its namespace, and its place among the namespace's images. */
export interface Subject {
  readonly number: number;
  readonly judged: JudgedNamespace;
  readonly at: number;
  readonly entry: IndexedImage;
  readonly sight: ImageSight;
  /** See `Ranked`. */
  readonly superseded: boolean;
}

export interface ChooseInput {
  readonly subjects: readonly Subject[];
  readonly content: SharedContent;
  readonly policy: Policy;
  readonly now: Instant;
  readonly demand: Demand | undefined;
  /** Bytes that all images take beyond the budget. */
  readonly excess: number;
  /** Where an image cannot go as long as one is there that was built on it: what each was built on. */
  readonly parents: Parents | undefined;
}

/** What becomes of the images of a node. */
export interface Choice {
  /** In the order of removal. */
  readonly taken: readonly Taken[];
  readonly brakes: readonly Brake[];
  /** The decisions about the names of an image. */
  decisionsOf(subject: Subject): readonly NameDecision[];
}

/** The modes in which images have to be judged. */
export function modesFor(demand: Demand | undefined, excess: number): readonly DemandMode[] {
  const strongest = Math.max(demandModes.indexOf(demand?.mode ?? "routine"), excess > 0 ? 1 : 0);
  return demandModes.slice(0, strongest + 1);
}

/** Chooses. */
export function choose(input: ChooseInput): Choice {
  const { subjects, content, policy, now } = input;
  const modes = subjects.map(removableIn);
  const removables = removablesOf(input, modes);
  const selection = select({ content, removables, now, order: orders[policy.order], stretches: stretchesOf(input) });
  const { kept, cut, brakes } = applyBrakes(selection.taken, policy.brakes, subjects.length);
  const fates: ("goes" | "waits" | undefined)[] = subjects.map(() => undefined);
  const codes: Taken["code"][] = [];
  for (const { number } of cut) fates[number] = "waits";
  for (const { number, code } of kept) {
    fates[number] = "goes";
    codes[number] = code;
  }
  const brake: Reason = { code: "brake", detail: brakes.map(({ detail }) => detail).join("; ") };
  return {
    taken: kept,
    brakes,
    decisionsOf(subject) {
      const { number } = subject;
      const routine = decisionsIn(subject, "routine");
      const mode = modes[number];
      if (fates[number] === "waits") return allKeptFor(routine, brake);
      if (mode === undefined) return routine;
      if (fates[number] !== "goes") return alsoKeptFor(routine, whyLeft(number, selection));
      const code = codes[number];
      return code === undefined ? routine : because(decisionsIn(subject, mode), code);
    },
  };
}

/** The decisions about an image in one mode. */
export function decisionsIn({ judged, at }: Subject, mode: DemandMode): readonly NameDecision[] {
  return judged.decisions.get(mode)?.[at] ?? [];
}

function whyLeft(number: number, { worthless }: Selection): Reason {
  if (worthless.has(number)) return { code: "gains-nothing", detail: "removing it would free nothing to speak of" };
  return { code: "enough-freed", detail: "what goes before it frees enough" };
}

const everything = { bytes: Number.POSITIVE_INFINITY, inodes: Number.POSITIVE_INFINITY };

function stretchesOf({ demand, excess }: ChooseInput): readonly Stretch[] {
  const stretches: Stretch[] = [{ mode: "routine", code: undefined, ...everything }];
  if (demand !== undefined && demand.mode !== "routine") {
    const { bytes, inodes } = demand;
    // An emergency breaks more rules only as far as it must: first it goes as far as pressure goes.
    for (const mode of modesFor(demand, 0).slice(1)) stretches.push({ mode, code: "pressure", bytes, inodes });
  }
  if (excess > 0) stretches.push({ mode: "pressure", code: "over-budget", bytes: excess, inodes: 0 });
  return stretches;
}

/** What may go: the subjects that have a mode. */
function removablesOf(
  { subjects, parents, policy }: ChooseInput,
  modes: readonly (DemandMode | undefined)[],
): readonly Removable[] {
  const twins = twinsBehindIds(subjects);
  const children = childrenOf(subjects, modes, parents);
  const removables: Removable[] = [];
  for (const subject of subjects) {
    const { number, sight, superseded } = subject;
    const mode = modes[number];
    if (mode === undefined) continue;
    const listed = policy.remove.length > 0 && decisionsIn(subject, mode).some(isListed);
    const after = joined(twins.get(number), children.get(number));
    removables.push({ number, mode, listed, sight, superseded, after });
  }
  return removables;
}

function isListed({ remove }: NameDecision): boolean {
  return remove === "remove-list";
}

const none: readonly number[] = [];

function joined(some: readonly number[] = none, others: readonly number[] = none): readonly number[] {
  if (some.length === 0) return others;
  return others.length === 0 ? some : [...some, ...others];
}

/** The mildest mode in which the whole image may go. */
function removableIn({ judged: { decisions, unneeded }, at }: Subject): DemandMode | undefined {
  for (const mode of demandModes) {
    const names = decisions.get(mode)?.[at];
    if (names !== undefined && (unneeded.isAt(at, names) || allGo(names))) return mode;
  }
  return undefined;
}

/** Images that hold the ID name of others, by number, with the numbers of those others: they have to be gone before. */
function twinsBehindIds(subjects: readonly Subject[]): ReadonlyMap<number, readonly number[]> {
  const twins = new Map<number, readonly number[]>();
  for (const group of sameIds(subjects)) {
    const id = group[0]?.entry.image.id ?? "";
    const holder = group.find(({ entry }) => entry.names.some((name) => isSharedIdName(name, id)));
    const others = group.filter((other) => other !== holder);
    if (holder !== undefined) {
      twins.set(
        holder.number,
        others.map(({ number }) => number),
      );
    }
  }
  return twins;
}

/** Images that may go and that others of them were built on, by number, with the numbers of those others. */
function childrenOf(
  subjects: readonly Subject[],
  modes: readonly (DemandMode | undefined)[],
  parents: Parents = new Map(),
): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  if (parents.size === 0) return children;
  const removable = subjects.filter(({ number }) => modes[number] !== undefined);
  const numbers = new Map(removable.map(({ entry, number }) => [entry.image.target, number]));
  for (const { entry, number } of removable) {
    for (const target of ancestorsOf(entry.image.target, parents)) {
      const parent = numbers.get(target);
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), number]);
    }
  }
  return children;
}

/** Groups of several images of one namespace with one ID. Images of a namespace have numbers in a row. */
function sameIds(subjects: readonly Subject[]): readonly (readonly Subject[])[] {
  const firsts = subjects.filter(({ at }) => at === 0);
  return firsts.flatMap(({ judged, number }) =>
    judged.index.twins.map((group) => group.flatMap((at) => subjects[number + at] ?? [])),
  );
}
