// The loop: one round after the other until told to stop. The only place that decides when.
import type { History } from "../decide/history.ts";
import type { Policy } from "../decide/policy.ts";
import { type NodeAccess, type RoundInput, type RoundResult, runRound } from "./round.ts";

export interface ControllerInput extends NodeAccess, Pick<RoundInput, "concurrency" | "callTimeoutMs" | "report"> {
  readonly history: History;
  /** The policy at the moment of a round. */
  readonly policyAt: (now: number) => Policy;
  /** Milliseconds between the end of a round and the beginning of the next one. */
  readonly interval: number;
  /** Share of the interval, 0 to 1, by which a round may come earlier or later: a fleet does not act in step. */
  readonly jitter: number;
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
  /** Resolves when the signal has fired and the last round has ended. */
  readonly done: Promise<void>;
}

/** Starts the loop. The first round begins at once. */
export function startController(input: ControllerInput): Controller {
  const state: { roundSince: number | undefined; observed: boolean } = { roundSince: undefined, observed: false };
  const done = (async () => {
    let { history } = input;
    while (!input.signal.aborted) {
      state.roundSince = input.clock.now();
      const result = await runRound({ ...input, history, policy: input.policyAt(input.clock.now()) });
      state.roundSince = undefined;
      if (result.kind === "done") {
        state.observed = true;
        history = result.history;
        input.remember(history);
      }
      await input.clock.sleep(delayAfter(result, input), input.signal);
    }
  })();
  return { status: () => ({ ...state }), done };
}

/** Milliseconds to wait after a round. */
function delayAfter(result: RoundResult, { interval, jitter, retryAfter, clock }: ControllerInput): number {
  const base = result.kind === "done" ? interval : Math.min(retryAfter, interval);
  return base * (1 + jitter * (2 * clock.random() - 1));
}
