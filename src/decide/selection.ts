// Chooses which of the images that may go do go, and in which order: greedy in the policy's order, with bytes that follow.
import type { Instant } from "../image/node-state.ts";
import type { DemandMode } from "./demand.ts";
import type { ImageSight } from "./image-sight.ts";
import type { Order, Ranked } from "./order.ts";
import type { RemoveCode } from "./reason.ts";
import { RemovedSet } from "./removed-set.ts";
import type { SharedContent } from "./shared-content.ts";
import { TurnQueue } from "./turn-queue.ts";

/** An image that may go. */
export interface Removable {
  /** Its number in the shared content. */
  readonly number: number;
  /** The first mode that lets it go. */
  readonly mode: DemandMode;
  /** True when the remove list means it: it goes before all others. */
  readonly listed: boolean;
  /** What is known of it for the order. */
  readonly sight: ImageSight;
  readonly superseded: boolean;
  /** Numbers of images that must be gone before: see `keepSharedIds`. */
  readonly after: readonly number[];
}

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

export interface SelectionInput {
  readonly content: SharedContent;
  readonly removables: readonly Removable[];
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

/** What all that waits has in common. */
interface Surroundings {
  readonly gone: RemovedSet;
  readonly now: Instant;
}

/** A removable image as orders see it: its gain is what it would free at the moment. */
class Waiting implements Ranked {
  readonly listed: boolean;
  readonly superseded: boolean;
  readonly #number: number;
  readonly #sight: ImageSight;
  readonly #around: Surroundings;

  constructor({ number, listed, superseded, sight }: Removable, around: Surroundings) {
    this.listed = listed;
    this.superseded = superseded;
    this.#number = number;
    this.#sight = sight;
    this.#around = around;
  }

  get firstSeen(): Instant {
    return this.#sight.firstSeen;
  }

  get lastUsed(): Instant {
    return this.#sight.lastUsed;
  }

  get idle(): number {
    return this.#around.now - this.#sight.lastUsed;
  }

  get timesUsed(): number {
    return this.#sight.timesUsed;
  }

  get gain(): number {
    return this.#around.gone.gainOf(this.#number);
  }
}

class Walk {
  readonly #input: SelectionInput;
  readonly #gone: RemovedSet;
  readonly #ranks: Int32Array;
  /** By number. */
  readonly #waiting: Waiting[] = [];
  readonly #queue: TurnQueue;
  /** By number: 1 for what is or was in the queue. */
  readonly #queued: Uint8Array;
  /** What waits for an image to be gone before its own turn comes. */
  readonly #followers = new Map<number, Removable[]>();
  readonly #moved = (number: number): void => this.#queue.moved(number);
  #taken: Taken[] = [];
  /** By number: 1 for what is taken. */
  readonly #isTaken: Uint8Array;

  constructor(input: SelectionInput) {
    this.#input = input;
    this.#gone = new RemovedSet(input.content);
    this.#ranks = input.content.ranks;
    this.#queued = new Uint8Array(this.#ranks.length);
    this.#isTaken = new Uint8Array(this.#ranks.length);
    const around = { gone: this.#gone, now: input.now };
    for (const one of input.removables) this.#waiting[one.number] = new Waiting(one, around);
    this.#queue = new TurnQueue(this.#ranks.length, (left, right) => this.#compare(left, right));
    for (const removable of input.removables) {
      for (const before of removable.after) {
        this.#followers.set(before, [...(this.#followers.get(before) ?? []), removable]);
      }
    }
  }

  get taken(): readonly Taken[] {
    return this.#taken;
  }

  go(stretch: Stretch): void {
    const allowed = (removable: Removable): boolean => isAllowed(removable.mode, stretch.mode);
    for (const removable of this.#input.removables) if (allowed(removable)) this.#enqueue(removable);
    while (!this.#isEnough(stretch)) {
      const number = this.#queue.next();
      if (number === undefined) return;
      this.#take(number, stretch.code);
      for (const follower of this.#followers.get(number) ?? []) if (allowed(follower)) this.#enqueue(follower);
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

  #enqueue(removable: Removable): void {
    const { number, after } = removable;
    if (this.#queued[number] === 1) return;
    if (after.length > 0 && !after.every((before) => this.#isTaken[before] === 1)) return;
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
    return (this.#followers.get(number) ?? []).some((follower) => this.#isTaken[follower.number] === 1);
  }

  #compare(left: number, right: number): number {
    const a = this.#waiting[left] as Waiting;
    const b = this.#waiting[right] as Waiting;
    if (a.listed !== b.listed) return a.listed ? -1 : 1;
    return this.#input.order(a, b) || (this.#ranks[left] ?? 0) - (this.#ranks[right] ?? 0);
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

function isAllowed(from: DemandMode, mode: DemandMode): boolean {
  return severity[from] <= severity[mode];
}
