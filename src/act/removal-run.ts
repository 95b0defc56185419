// What the removals of one execution share: the input, what is known of the node by now, and whether the runtime still answers.
import type { ImageVerdict, NameVerdict } from "../decide/plan.ts";
import type { CallOptions } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import type { ExecuteInput } from "./execute-input.ts";
import { type FailureReason, failureReason, type NameOutcome, type NameResult } from "./outcome.ts";
import type { Revalidator } from "./revalidate.ts";

export interface RemovalRun {
  readonly input: ExecuteInput;
  readonly revalidator: Revalidator;
  /** Fires a while after the round was stopped: what is still in progress is given up then. */
  readonly grace: AbortSignal;
  /** Calls in a row that the runtime did not answer. */
  silence: number;
}

/** A name that the plan removes. */
export type Removal = Extract<NameVerdict, { action: "untag" }>;

/** What became of one image of the plan. */
export interface ImageOutcome {
  readonly names: readonly NameOutcome[];
  /** True when every name that was to go is gone. */
  readonly gone: boolean;
}

/** After this many unanswered calls in a row the runtime counts as gone, and waiting for each deadline would help nobody. */
const silenceLimit = 3;

export const unanswered = `the runtime did not answer ${silenceLimit} calls in a row`;

const stopped: NameResult = { kind: "skipped", message: "the round was stopped" };

/** Results that only the runtime's own answer can give. */
const answeredBy: ReadonlySet<NameResult["kind"]> = new Set(["removed", "already-gone", "moved"]);

export function isSilent({ silence }: RemovalRun): boolean {
  return silence >= silenceLimit;
}

export function isRemoval(verdict: NameVerdict): verdict is Removal {
  return verdict.action === "untag";
}

export function isGone({ result }: Pick<NameOutcome, "result">): boolean {
  return result.kind === "removed" || result.kind === "already-gone";
}

/** Options of the checks before a removal, which end when the round is stopped, and of the removal itself, which has some time more. */
export interface AttemptOptions {
  readonly checking: CallOptions;
  /** Asked for right before the removal: what goes wrong from then on is a failure, not a stop. */
  readonly removing: () => CallOptions;
}

/** Tries one removal, unless the round was stopped or the runtime fell silent; failures are results. */
export async function attempt(
  run: RemovalRun,
  work: (options: AttemptOptions) => Promise<NameResult>,
): Promise<NameResult> {
  const { signal, callTimeoutMs } = run.input;
  if (signal?.aborted) return stopped;
  if (isSilent(run)) return { kind: "skipped", message: unanswered };
  const options: CallOptions = { timeoutMs: callTimeoutMs, signal: run.grace };
  let begun = false;
  const removing = (): CallOptions => {
    begun = true;
    return options;
  };
  try {
    const result = await work({ removing, checking: signal === undefined ? options : { ...options, signal } });
    if (answeredBy.has(result.kind)) run.silence = 0;
    return result;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "in-use") return { kind: "in-use", message: error.message };
    const failure = describeFailure(error);
    if (signal?.aborted && !begun && failure.reason === "deadline") return stopped;
    run.silence = isSilence(failure.reason) ? run.silence + 1 : 0;
    return { kind: "failed", ...failure };
  }
}

/** What becomes of one name, told to whoever listens. */
export function nameOutcome(
  { namespace }: ImageVerdict,
  { name, target, reasons }: Removal,
  { result, seconds }: Pick<NameOutcome, "result" | "seconds">,
): NameOutcome {
  return { namespace, name, target, reason: reasons[0]?.code ?? "unused", result, seconds };
}

export function describeFailure(error: unknown): { readonly reason: FailureReason; readonly message: string } {
  if (error instanceof RuntimeError) return { reason: failureReason(error.code), message: error.message };
  return { reason: "unknown", message: error instanceof Error ? error.message : String(error) };
}

function isSilence(reason: FailureReason): boolean {
  return reason === "unavailable" || reason === "deadline";
}
