// Chooses which of the images that may go do go, and in which order: greedy in the policy's order, with bytes that follow.
import { compareBytes } from "../image/order.ts";
import type { DemandMode } from "./demand.ts";
import type { Order, Ranked } from "./order.ts";
import type { RemoveCode } from "./reason.ts";
import { RemovedSet } from "./removed-set.ts";
import type { SharedContent } from "./shared-content.ts";
import { TurnQueue } from "./turn-queue.ts";

/** An image that may go. */
export interface Removable extends Omit<Ranked, "gain"> {
  /** Its number in the shared content. */
  readonly number: number;
  /** The first mode that lets it go. */
  readonly mode: DemandMode;
  /** True when the remove list means it: it goes before all others. */
  readonly listed: boolean;
  /** Decides where nothing else does. */
  readonly digest: string;
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

/** A removable image with what it gains at the moment. */
type Waiting = Omit<Removable, "number" | "mode" | "after"> & { gain: number };

class Walk {
  readonly #input: SelectionInput;
  readonly #gone: RemovedSet;
  /** By number. */
  readonly #waiting: Waiting[] = [];
  readonly #queue: TurnQueue;
  readonly #queued = new Set<number>();
  /** What waits for an image to be gone before its own turn comes. */
  readonly #followers = new Map<number, Removable[]>();
  #taken: Taken[] = [];
  readonly #isTaken = new Set<number>();

  constructor(input: SelectionInput) {
    this.#input = input;
    this.#gone = new RemovedSet(input.content);
    for (const one of input.removables) {
      const { number, listed, digest, firstSeen, lastUsed, idle, superseded, timesUsed } = one;
      const gain = this.#gone.gainOf(number);
      this.#waiting[number] = { listed, digest, firstSeen, lastUsed, idle, superseded, timesUsed, gain };
    }
    this.#queue = new TurnQueue((left, right) => this.#compare(left, right));
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
    for (let before = -1; before !== worthless.size; ) {
      before = worthless.size;
      for (const { number, code } of this.#taken.toReversed()) {
        if (code === undefined || worthless.has(number)) continue;
        if (this.#isWorth(number, code) || this.#isNeededFor(number)) continue;
        this.#gone.giveBack(number);
        this.#isTaken.delete(number);
        worthless.add(number);
      }
    }
    this.#taken = this.#taken.filter(({ number }) => this.#isTaken.has(number));
    return worthless;
  }

  #enqueue(removable: Removable): void {
    const { number, after } = removable;
    if (this.#queued.has(number) || !after.every((before) => this.#isTaken.has(before))) return;
    this.#queued.add(number);
    this.#queue.add(number);
  }

  #take(number: number, code: Stretch["code"]): void {
    this.#gone.add(number, (other) => {
      const waiting = this.#waiting[other];
      if (waiting !== undefined) waiting.gain = this.#gone.gainOf(other);
      this.#queue.moved(other);
    });
    this.#isTaken.add(number);
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
    return (this.#followers.get(number) ?? []).some((follower) => this.#isTaken.has(follower.number));
  }

  #compare(left: number, right: number): number {
    const a = this.#waiting[left] as Waiting;
    const b = this.#waiting[right] as Waiting;
    if (a.listed !== b.listed) return a.listed ? -1 : 1;
    return this.#input.order(a, b) || compareBytes(a.digest, b.digest) || left - right;
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
