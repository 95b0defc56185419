// The loop: one round after the other until told to stop. The only place that decides when.
import { emptyHistory, type History } from "../decide/history.ts";
import type { Policy } from "../decide/policy.ts";
import type { SkipReason } from "../report/event.ts";
import { type NodeAccess, type RoundInput, type RoundResult, runRound } from "./round.ts";

/** What may change while the loop runs. */
export interface LoopSettings extends Pick<RoundInput, "concurrency" | "callTimeoutMs"> {
  /** The policy at the moment of a round. */
  readonly policyAt: (now: number) => Policy;
  /** Milliseconds between the end of a round and the beginning of the next one. */
  readonly interval: number;
  /** Share of the interval, 0 to 1, by which a round may come earlier or later: a fleet does not act in step. */
  readonly jitter: number;
  /** Why nothing may be done now; undefined when rounds may run. */
  readonly hold?: Hold | undefined;
}

/** A reason to skip rounds that the node itself does not show. */
export interface Hold {
  readonly reason: SkipReason;
  readonly message: string;
}

export interface ControllerInput extends NodeAccess, Pick<RoundInput, "report" | "beforeImage"> {
  readonly history: History;
  /** Asked before each round, and again after `settingsChanged`. */
  readonly settings: () => LoopSettings;
  /** Milliseconds until a round that failed or was skipped is tried again, at most the interval. */
  readonly retryAfter: number;
  /** Called after each round with what is to be remembered. */
  readonly remember: (history: History) => void;
  readonly signal: AbortSignal;
}

/** What the probes ask about. */
export interface ControllerStatus {
  /** When the running round began; undefined between rounds. */
  readonly roundSince: number | undefined;
  /** True after the first round that saw the node clearly. */
  readonly observed: boolean;
}

export interface Controller {
  status(): ControllerStatus;
  /** The settings are others now: the wait for the next round is measured anew, and a round that may no longer run ends. */
  settingsChanged(): void;
  /** Resolves when the signal has fired and the last round has ended. */
  readonly done: Promise<void>;
}

type Turn = RoundResult | { readonly kind: "held"; readonly reason: SkipReason };

/** Starts the loop. The first round begins at once. */
export function startController(input: ControllerInput): Controller {
  const loop = new Loop(input);
  return {
    status: () => ({ ...loop.status }),
    settingsChanged: () => loop.wake(),
    done: loop.run(),
  };
}

class Loop {
  readonly status: { roundSince: number | undefined; observed: boolean } = { roundSince: undefined, observed: false };
  readonly #input: ControllerInput;
  #history: History;
  #alarm = new AbortController();
  #round = new AbortController();

  constructor(input: ControllerInput) {
    this.#input = input;
    this.#history = input.history;
  }

  wake(): void {
    this.#alarm.abort();
    // A round that may no longer run finishes the removal in progress and leaves the rest alone.
    if (this.#input.settings().hold !== undefined) this.#round.abort();
  }

  async run(): Promise<void> {
    const { signal, clock } = this.#input;
    while (!signal.aborted) {
      const turn = await this.#turn();
      await this.#rest(turn, clock.now(), clock.random());
    }
  }

  async #turn(): Promise<Turn> {
    const { settings, report, clock, remember } = this.#input;
    const { hold, policyAt, concurrency, callTimeoutMs } = settings();
    if (hold !== undefined) {
      if (hold.reason === "disabled") this.#forget();
      report({ kind: "round-skipped", seconds: 0, ...hold });
      return { kind: "held", reason: hold.reason };
    }
    this.status.roundSince = clock.now();
    this.#round = new AbortController();
    const signal = AbortSignal.any([this.#input.signal, this.#round.signal]);
    const policy = policyAt(clock.now());
    const limits = { policy, concurrency, callTimeoutMs, signal };
    const result = await runRound({ ...this.#input, ...limits, history: this.#history });
    this.status.roundSince = undefined;
    if (result.kind === "done") {
      this.status.observed = true;
      this.#history = result.history;
      remember(this.#history);
    }
    return result;
  }

  /** A node that is left alone is not observed: what was seen before must not count as unused when it is looked after again. */
  #forget(): void {
    if (this.#history.namespaces.size === 0) return;
    this.#history = emptyHistory(this.#history.unknown);
    this.#input.remember(this.#history);
  }

  /** Waits for the next turn. Whoever changes the settings meanwhile may bring it nearer or put it off. */
  async #rest(turn: Turn, endedAt: number, chance: number): Promise<void> {
    const { signal, clock, settings, retryAfter } = this.#input;
    for (;;) {
      const now = settings();
      if (now.hold?.reason !== (turn.kind === "held" ? turn.reason : undefined)) return;
      const left = endedAt + delayAfter(turn, now, retryAfter, chance) - clock.now();
      if (left <= 0 || signal.aborted) return;
      this.#alarm = new AbortController();
      await clock.sleep(left, AbortSignal.any([signal, this.#alarm.signal]));
      if (!this.#alarm.signal.aborted) return;
    }
  }
}

/** Milliseconds to wait after a turn. */
function delayAfter(turn: Turn, { interval, jitter }: LoopSettings, retryAfter: number, chance: number): number {
  const asPlanned = turn.kind === "done" || (turn.kind === "held" && turn.reason === "disabled");
  const base = asPlanned ? interval : Math.min(retryAfter, interval);
  return base * (1 + jitter * (2 * chance - 1));
}
