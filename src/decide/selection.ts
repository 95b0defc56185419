// Chooses which of the images that may go do go, and in which order: greedy in the policy's order, with bytes that follow.
import type { Instant } from "../image/node-state.ts";
import type { DemandMode } from "./demand.ts";
import type { ImageSights } from "./image-sight.ts";
import type { Order, Ranked } from "./order.ts";
import type { RemoveCode } from "./reason.ts";
import { RemovedSet } from "./removed-set.ts";
import type { SharedContent } from "./shared-content.ts";
import { TurnQueue } from "./turn-queue.ts";

/** One stretch of the way through the images: take those that `mode` allows until enough is freed. */
export interface Stretch {
  readonly mode: DemandMode;
  /** Why images are taken on this stretch; undefined: because the policy lets them go anyway. */
  readonly code: Extract<RemoveCode, "pressure" | "over-budget"> | undefined;
  /** Bytes and inodes that have to be freed altogether. */
  readonly bytes: number;
  readonly inodes: number;
}

export interface Taken {
  readonly number: number;
  readonly code: Stretch["code"];
}

export interface Selection {
  /** In the order of removal. */
  readonly taken: readonly Taken[];
  /** Images that were given back because their removal frees nothing to speak of. */
  readonly worthless: ReadonlySet<number>;
}

/** Everything is given by the numbers that images have in the shared content. */
export interface SelectionInput {
  readonly content: SharedContent;
  /** The first mode that lets each image go; undefined when none does. */
  readonly modes: readonly (DemandMode | undefined)[];
  /** 1 for images that the remove list means: they go before all others. */
  readonly listed: Uint8Array;
  /** Numbers of images that must be gone before: see `keepSharedIds`. */
  readonly after: ReadonlyMap<number, readonly number[]>;
  /** What is known of images for the order. */
  readonly sights: ImageSights;
  /** 1 for images as `Ranked.superseded` says. */
  readonly superseded: Uint8Array;
  readonly order: Order;
  readonly now: Instant;
  readonly stretches: readonly Stretch[];
}

/**
 * Walks the stretches one after the other. An image that gains nothing is taken all the same, because it may gain together
 * with one that comes later; what gains nothing in the end is given back.
 */
export function select(input: SelectionInput): Selection {
  const walk = new Walk(input);
  for (const stretch of input.stretches) walk.go(stretch);
  const worthless = walk.giveBackWorthless();
  return { taken: walk.taken, worthless };
}

/** An image as orders see it: its gain is what it would free at the moment. One object stands for one image after the other. */
class Contender implements Ranked {
  number = 0;
  readonly #input: SelectionInput;
  readonly #gone: RemovedSet;

  constructor(input: SelectionInput, gone: RemovedSet) {
    this.#input = input;
    this.#gone = gone;
  }

  get firstSeen(): Instant {
    return this.#input.sights.firstSeen[this.number] ?? 0;
  }

  get lastUsed(): Instant {
    return this.#input.sights.lastUsed[this.number] ?? 0;
  }

  get idle(): number {
    return this.#input.now - this.lastUsed;
  }

  get superseded(): boolean {
    return this.#input.superseded[this.number] === 1;
  }

  get timesUsed(): number {
    return this.#input.sights.timesUsed[this.number] ?? 0;
  }

  get gain(): number {
    return this.#gone.gainOf(this.number);
  }
}

class Walk {
  readonly #input: SelectionInput;
  readonly #gone: RemovedSet;
  readonly #left: Contender;
  readonly #right: Contender;
  readonly #queue: TurnQueue;
  /** By number: 1 for what is or was in the queue. */
  readonly #queued: Uint8Array;
  /** What waits for an image to be gone before its own turn comes. */
  readonly #followers = new Map<number, number[]>();
  readonly #moved = (number: number): void => this.#queue.moved(number);
  #taken: Taken[] = [];
  /** By number: 1 for what is taken. */
  readonly #isTaken: Uint8Array;

  constructor(input: SelectionInput) {
    const { content, after } = input;
    const count = content.ranks.length;
    this.#input = input;
    this.#gone = new RemovedSet(content);
    this.#left = new Contender(input, this.#gone);
    this.#right = new Contender(input, this.#gone);
    this.#queued = new Uint8Array(count);
    this.#isTaken = new Uint8Array(count);
    this.#queue = new TurnQueue(count, (left, right) => this.#compare(left, right));
    for (const [number, earlier] of after) {
      for (const before of earlier) this.#followers.set(before, [...this.#followersOf(before), number]);
    }
  }

  get taken(): readonly Taken[] {
    return this.#taken;
  }

  go(stretch: Stretch): void {
    const { modes } = this.#input;
    const allowed = (number: number): boolean => isAllowed(modes[number], stretch.mode);
    for (let number = 0; number < modes.length; number += 1) if (allowed(number)) this.#enqueue(number);
    while (!this.#isEnough(stretch)) {
      const number = this.#queue.next();
      if (number === undefined) return;
      this.#take(number, stretch.code);
      for (const follower of this.#followersOf(number)) if (allowed(follower)) this.#enqueue(follower);
    }
  }

  /** From the last taken to the first, and again until all that is left is worth it: without one another may be worth less. */
  giveBackWorthless(): ReadonlySet<number> {
    const worthless = new Set<number>();
    if (this.#taken.every(({ code }) => code === undefined)) return worthless;
    for (let before = -1; before !== worthless.size; ) {
      before = worthless.size;
      for (const { number, code } of this.#taken.toReversed()) {
        if (code === undefined || worthless.has(number)) continue;
        if (this.#isWorth(number, code) || this.#isNeededFor(number)) continue;
        this.#gone.giveBack(number);
        this.#isTaken[number] = 0;
        worthless.add(number);
      }
    }
    this.#taken = this.#taken.filter(({ number }) => this.#isTaken[number] === 1);
    return worthless;
  }

  #enqueue(number: number): void {
    if (this.#queued[number] === 1) return;
    const after = this.#input.after.get(number);
    if (after !== undefined && !after.every((before) => this.#isTaken[before] === 1)) return;
    this.#queued[number] = 1;
    this.#queue.add(number);
  }

  #take(number: number, code: Stretch["code"]): void {
    this.#gone.add(number, this.#moved);
    this.#isTaken[number] = 1;
    this.#taken.push({ number, code });
  }

  #isEnough({ bytes, inodes }: Pick<Stretch, "bytes" | "inodes">): boolean {
    return this.#gone.bytes >= bytes && this.#gone.inodes >= inodes;
  }

  /** Worth going: it frees more than next to nothing, or it is what makes the difference. */
  #isWorth(number: number, code: NonNullable<Stretch["code"]>): boolean {
    const share = this.#gone.shareOf(number);
    const whole = this.#input.content.sizeOf(number);
    const isMuch = {
      bytes: exceeds(share.bytes, whole.bytes, fewBytes),
      inodes: exceeds(share.inodes, whole.inodes, fewInodes),
    };
    const goals = this.#input.stretches.filter((stretch) => stretch.code === code);
    return goals.some(({ bytes, inodes }) => {
      if ((bytes > 0 && isMuch.bytes) || (inodes > 0 && isMuch.inodes)) return true;
      const without = { bytes: this.#gone.bytes - share.bytes, inodes: this.#gone.inodes - share.inodes };
      return this.#isEnough({ bytes, inodes }) && (without.bytes < bytes || without.inodes < inodes);
    });
  }

  #isNeededFor(number: number): boolean {
    return this.#followersOf(number).some((follower) => this.#isTaken[follower] === 1);
  }

  #followersOf(number: number): readonly number[] {
    return this.#followers.get(number) ?? [];
  }

  #compare(left: number, right: number): number {
    const { listed, order, content } = this.#input;
    if (listed[left] !== listed[right]) return listed[left] === 1 ? -1 : 1;
    this.#left.number = left;
    this.#right.number = right;
    return order(this.#left, this.#right) || (content.ranks[left] ?? 0) - (content.ranks[right] ?? 0);
  }
}

// An image that shares all its layers with one that stays still has a manifest and a config of its own: a few thousand bytes.
const fewBytes = 64 * 1024;
const fewInodes = 8;

/** True for more than next to nothing, measured by the whole image. */
function exceeds(share: number, whole: number, few: number): boolean {
  return share > Math.min(few, whole / 100);
}

const severity: Readonly<Record<DemandMode, number>> = { routine: 0, pressure: 1, emergency: 2 };

function isAllowed(from: DemandMode | undefined, mode: DemandMode): boolean {
  return from !== undefined && severity[from] <= severity[mode];
}
