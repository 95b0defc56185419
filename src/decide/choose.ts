// Which of the judged images go in this plan: all that the policy lets go, what a demand and the budget add, less what brakes cut.
import type { Instant } from "../image/node-state.ts";
import { applyBrakes, type Brake } from "./brake.ts";
import { type Demand, type DemandMode, demandModes } from "./demand.ts";
import type { IndexedImage } from "./image-index.ts";
import type { ImageSights } from "./image-sight.ts";
import { type JudgedNamespace, ofEachImage } from "./judge.ts";
import { orders } from "./order.ts";
import { ancestorsOf, type Parents } from "./parents.ts";
import type { Policy } from "./policy.ts";
import type { Reason, RemoveCode } from "./reason.ts";
import type { NameDecision } from "./retention.ts";
import { type Selection, type Stretch, select, type Taken } from "./selection.ts";
import type { SharedContent } from "./shared-content.ts";
import { isSharedIdName } from "./shared-id.ts";
import { allGo, allKeptFor, alsoKeptFor, because } from "./verdict.ts";

export interface ChooseInput {
  readonly judged: readonly JudgedNamespace[];
  readonly sights: ImageSights;
  readonly content: SharedContent;
  readonly policy: Policy;
  readonly now: Instant;
  /** By the numbers of images: see `Ranked`. */
  readonly superseded: Uint8Array;
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
  /** The decisions about the names of the image at this place of a namespace. */
  decisionsOf(judged: JudgedNamespace, at: number): readonly NameDecision[];
}

/** The modes in which images have to be judged. */
export function modesFor(demand: Demand | undefined, excess: number): readonly DemandMode[] {
  const strongest = Math.max(demandModes.indexOf(demand?.mode ?? "routine"), excess > 0 ? 1 : 0);
  return demandModes.slice(0, strongest + 1);
}

/** Chooses. */
export function choose(input: ChooseInput): Choice {
  const { judged, content, sights, superseded, policy, now } = input;
  const modes = ofEachImage(judged, removableIn);
  const selection = select({
    ...{ content, modes, sights, superseded, now },
    listed: listedOf(input, modes),
    after: joined(twinsBehindIds(judged), childrenOf(input, modes)),
    order: orders[policy.order],
    stretches: stretchesOf(input),
  });
  const { kept, cut, brakes } = applyBrakes(selection.taken, policy.brakes, modes.length);
  const goes = new Uint8Array(modes.length);
  const waits = new Uint8Array(modes.length);
  const codes = new Map<number, RemoveCode>();
  for (const { number } of cut) waits[number] = 1;
  for (const { number, code } of kept) {
    goes[number] = 1;
    if (code !== undefined) codes.set(number, code);
  }
  const brake: Reason = { code: "brake", detail: brakes.map(({ detail }) => detail).join("; ") };
  return {
    taken: kept,
    brakes,
    decisionsOf(one, at) {
      const number = one.first + at;
      const routine = decisionsIn(one, at, "routine");
      const mode = modes[number];
      if (waits[number] === 1) return allKeptFor(routine, brake);
      if (mode === undefined) return routine;
      if (goes[number] === 0) {
        const left = whyLeft(number, selection);
        // What waits for itself in a circle was never taken, though nothing speaks for it.
        return allGo(routine) ? allKeptFor(routine, left) : alsoKeptFor(routine, left);
      }
      const code = codes.get(number);
      return code === undefined ? routine : because(decisionsIn(one, at, mode), code);
    },
  };
}

/** The decisions about an image in one mode. */
export function decisionsIn({ decisions }: JudgedNamespace, at: number, mode: DemandMode): readonly NameDecision[] {
  return decisions.get(mode)?.[at] ?? [];
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

/** 1 for images that may go and that the remove list means, by number. */
function listedOf({ judged, policy }: ChooseInput, modes: readonly (DemandMode | undefined)[]): Uint8Array {
  if (policy.remove.length === 0) return new Uint8Array(modes.length);
  const isListed = ({ remove }: NameDecision): boolean => remove === "remove-list";
  return Uint8Array.from(
    ofEachImage(judged, (one, at) => {
      const mode = modes[one.first + at];
      return mode !== undefined && decisionsIn(one, at, mode).some(isListed) ? 1 : 0;
    }),
  );
}

type NumbersByNumber = ReadonlyMap<number, readonly number[]>;

/** All images that have to be gone before each, for either reason. */
function joined(some: NumbersByNumber, others: NumbersByNumber): NumbersByNumber {
  const all = new Map(some);
  for (const [number, more] of others) all.set(number, [...(some.get(number) ?? []), ...more]);
  return all;
}

/** The mildest mode in which the whole image may go. */
function removableIn({ decisions, unneeded }: JudgedNamespace, at: number): DemandMode | undefined {
  for (const mode of demandModes) {
    const names = decisions.get(mode)?.[at];
    if (names !== undefined && (unneeded.isAt(at, names) || allGo(names))) return mode;
  }
  return undefined;
}

/** Images that hold the ID name of others, by number, with the numbers of those others: they have to be gone before. */
function twinsBehindIds(judged: readonly JudgedNamespace[]): NumbersByNumber {
  const twins = new Map<number, readonly number[]>();
  for (const { namespace, index, first } of judged) {
    for (const group of index.twins) {
      const holder = group.find((at) => holdsSharedIdName(index.images[at], namespace));
      if (holder === undefined) continue;
      const others = group.filter((at) => at !== holder);
      twins.set(
        first + holder,
        others.map((at) => first + at),
      );
    }
  }
  return twins;
}

function holdsSharedIdName(entry: IndexedImage | undefined, namespace: string): boolean {
  return entry?.names.some((name) => isSharedIdName(name, { namespace, id: entry.image.id })) ?? false;
}

/** Images that may go and that others of them were built on, by number, with the numbers of those others. */
function childrenOf(
  { judged, parents = new Map() }: ChooseInput,
  modes: readonly (DemandMode | undefined)[],
): NumbersByNumber {
  const children = new Map<number, number[]>();
  if (parents.size === 0) return children;
  const targets = ofEachImage(judged, ({ index }, at) => index.images[at]?.image.target);
  const removable = [...targets.entries()].flatMap(([number, target]) =>
    target === undefined || modes[number] === undefined ? [] : [{ number, target }],
  );
  const numbers = new Map(removable.map(({ target, number }) => [target, number]));
  for (const { target: own, number } of removable) {
    for (const target of ancestorsOf(own, parents)) {
      const parent = numbers.get(target);
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), number]);
    }
  }
  return children;
}
