// What ends the rest between two turns: the interval, a look at the filesystem that is due, changes, a window that opens.
import type { SkipReason, Trigger } from "../report/event.ts";
import type { LoopSettings } from "./controller.ts";
import type { RoundResult } from "./round.ts";

/** A turn in which nothing was done. */
export interface HeldTurn {
  readonly kind: "held";
  readonly reason: SkipReason;
}

/** How a turn of the loop ended, and no more: what was seen and done in it is not kept for the rest that follows. */
export type Turn = HeldTurn | { readonly kind: RoundResult["kind"] };

/** What a rest needs to know of a turn. */
export function endOf(turn: RoundResult | HeldTurn): Turn {
  return turn.kind === "held" ? turn : { kind: turn.kind };
}

/** A moment at which a rest may end. `check`: to look at the filesystem, and to rest on when there is no pressure. */
export interface Occasion {
  readonly at: number;
  readonly trigger: Trigger | "check";
}

export interface RestInput {
  /** The turn before the rest. */
  readonly turn: Turn;
  readonly settings: LoopSettings;
  /** Milliseconds until a turn that did not go well is tried again, at most the interval. */
  readonly retryAfter: number;
  /** From 0 to 1: where in the jitter the next turn lies. */
  readonly chance: number;
  /** When the turn began and ended, and when the filesystem was looked at last. */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly checkedAt: number;
  /** When changes begin a round; undefined when there are none. */
  readonly changesDueAt: number | undefined;
}

/** The first occasion. A turn that was held waits for its time alone. */
export function nextOccasion(input: RestInput): Occasion {
  const { turn, settings, beganAt, endedAt, checkedAt, changesDueAt } = input;
  const good = isGood(turn);
  const routine: Occasion = { at: endedAt + delayAfter(input), trigger: good ? "interval" : "retry" };
  if (turn.kind === "held") return routine;
  // A window that opened during the turn was not seen by it. After one that failed there is the retry.
  const opensAt = settings.windowsAt?.(good ? beganAt : endedAt).opensAt;
  const others: (Occasion | undefined)[] = [
    settings.pressure && { at: checkedAt + settings.pressure.check, trigger: "check" },
    changesDueAt === undefined ? undefined : { at: changesDueAt, trigger: "event" },
    opensAt === undefined ? undefined : { at: opensAt, trigger: "window" },
  ];
  // Of equals the round counts: it makes a look unnecessary.
  return others.reduce<Occasion>((first, other) => (other && other.at < first.at ? other : first), routine);
}

/** The reason for which a turn was held; undefined when it was not. */
export function heldBy(turn: Turn): SkipReason | undefined {
  return turn.kind === "held" ? turn.reason : undefined;
}

function isGood(turn: Turn): boolean {
  return turn.kind === "done" || heldBy(turn) === "disabled";
}

/** Milliseconds to wait after a turn. */
function delayAfter({ turn, settings: { interval, jitter }, retryAfter, chance }: RestInput): number {
  const base = isGood(turn) ? interval : Math.min(retryAfter, interval);
  return base * (1 + jitter * (2 * chance - 1));
}
