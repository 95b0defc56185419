// Rounds that changes in the runtime begin: new images, containers that come and go. Bounded, so that a storm of changes is one round.
import type { Clock } from "../observe/clock.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";

/** How changes become rounds. Milliseconds. */
export interface TriggerSettings {
  /** A round begins when nothing changed for this long; where changes never end, after `patience` times as long. */
  readonly quiet: number;
  /** From the end of one round to the beginning of one that changes begin, at least. */
  readonly spacing: number;
}

export interface EventTriggerInput {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called for the first change after a round. */
  readonly onPending: () => void;
}

/** Where changes never pause, a round waits this many quiet times at most. */
const patience = 6;
/** What a round removed is reported as a change of images until this many milliseconds after it. */
const echo = 2_000;
/** Milliseconds until changes are watched again after the runtime went away. */
const reconnectAfter = 5_000;

/** When the first and the last change came that no round has seen. */
interface Pending {
  firstAt: number;
  lastAt: number;
}

export class EventTrigger {
  readonly #input: EventTriggerInput;
  #pending: Pending | undefined;
  #roundRuns = false;
  #lastRoundAt = Number.NEGATIVE_INFINITY;

  constructor(input: EventTriggerInput) {
    this.#input = input;
  }

  /** When a round is due; undefined while nothing changed. */
  dueAt({ quiet, spacing }: TriggerSettings): number | undefined {
    if (this.#pending === undefined) return undefined;
    this.#clockSetBack(this.#pending, this.#input.clock.now());
    const { firstAt, lastAt } = this.#pending;
    return Math.max(Math.min(lastAt + quiet, firstAt + patience * quiet), this.#lastRoundAt + spacing);
  }

  /** A clock that is set back puts no round off. */
  #clockSetBack(pending: Pending, now: number): void {
    pending.firstAt = Math.min(pending.firstAt, now);
    pending.lastAt = Math.min(pending.lastAt, now);
    this.#lastRoundAt = Math.min(this.#lastRoundAt, now);
  }

  /** What changed so far is seen by the round that begins. */
  roundBegins(): void {
    this.#roundRuns = true;
    this.#pending = undefined;
  }

  roundEnds(): void {
    this.#roundRuns = false;
    this.#lastRoundAt = this.#input.clock.now();
  }

  /** Watches until the signal fires. Never rejects. */
  async watch(): Promise<void> {
    const { runtime, clock, signal } = this.#input;
    while (!signal.aborted) {
      try {
        for await (const { kind } of runtime.events(signal)) this.#happened(kind);
      } catch {
        // Rounds tell what is wrong with the runtime.
      }
      await clock.sleep(reconnectAfter, signal);
      // Nothing is replayed: something may have changed meanwhile.
      if (!signal.aborted) this.#happened("container");
    }
  }

  #happened(kind: "image" | "container"): void {
    const now = this.#input.clock.now();
    const sinceRound = Math.abs(now - this.#lastRoundAt);
    if (kind === "image" && (this.#roundRuns || sinceRound < echo)) return;
    if (this.#pending !== undefined) {
      this.#pending.lastAt = now;
      return;
    }
    this.#pending = { firstAt: now, lastAt: now };
    if (!this.#roundRuns) this.#input.onPending();
  }
}
