// One round: observe, decide, act, report. Returns what happened; throws nothing but defects.
import type { Announce } from "../act/announce.ts";
import { execute } from "../act/execute.ts";
import { createFreedMeter, type FreedMeter } from "../act/measure.ts";
import type { Outcome } from "../act/outcome.ts";
import { type History, recordUses } from "../decide/history.ts";
import { needsOf } from "../decide/needs.ts";
import { makePlan, type Plan, type PlanInput } from "../decide/plan.ts";
import type { NodeState } from "../image/node-state.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import type { Clock } from "../observe/clock.ts";
import { observeNode } from "../observe/observe-node.ts";
import type { ReportSink, SkipReason, Trigger, Withheld } from "../report/event.ts";
import type { CallOptions, ContainerRuntime, FilesystemUsage, ObserveOptions } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";

/** The node as rounds see it. */
export interface NodeAccess {
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
}

export interface RoundInput extends NodeAccess, Omit<PlanInput, "state" | "recheck"> {
  readonly concurrency: number;
  readonly callTimeoutMs: number;
  readonly report: ReportSink;
  readonly signal?: AbortSignal;
  /** Fires when the program stops. Default: `signal`. */
  readonly stopping?: AbortSignal;
  readonly announce?: Announce;
  /** Asked between plan and act; when it answers false, nothing is removed. */
  readonly approve?: (planned: Planned) => Promise<boolean>;
  /** What began the round; absent when a person did. */
  readonly trigger?: Trigger;
  /** Set: the node is looked at and the plan is made, but nothing of it is carried out. */
  readonly withheld?: Withheld | undefined;
  /** True: something will most likely be removed, so the space is measured while the node is looked at. Default false. */
  readonly measureAtOnce?: boolean;
  /** Milliseconds to wait after each image that was removed. Default 0. */
  readonly pauseMs?: number;
}

/** A look at the node and what was decided. */
export interface Planned {
  readonly state: NodeState;
  readonly plan: Plan;
  /** The history with this look in it. */
  readonly history: History;
}

export type PlanResult =
  | ({ readonly kind: "planned" } & Planned)
  | { readonly kind: "skipped"; readonly reason: SkipReason; readonly message: string }
  | { readonly kind: "failed"; readonly error: RuntimeError };

export type RoundResult =
  | ({ readonly kind: "done"; readonly outcome: Outcome; readonly durationMs: number } & Planned)
  | Exclude<PlanResult, { kind: "planned" }>
  | ({ readonly kind: "declined" } & Planned);

/** Milliseconds for which a list of containers counts as read right before a removal. Events make it shorter. */
const freshFor = 200;

/** What a plan is made by, beside the state of the node. */
type Rules = Omit<PlanInput, "state" | "recheck">;

function rulesOf({ history, policy, demand, backoff, maxGap }: Rules): Rules {
  return {
    history,
    policy,
    ...(demand === undefined ? {} : { demand }),
    ...(backoff === undefined ? {} : { backoff }),
    ...(maxGap === undefined ? {} : { maxGap }),
  };
}

/** Observes and decides. Changes nothing. The signal ends the look early, with a failure. */
export async function planRound(
  input: Pick<RoundInput, keyof NodeAccess | keyof Rules | "signal">,
  options: ObserveOptions = {},
): Promise<PlanResult> {
  try {
    const seen = await observeNode(input, { ...options, ...stoppedBy(input.signal) });
    if (seen.kind === "refused") return { kind: "skipped", reason: seen.reason, message: seen.message };
    const plan = makePlan({ state: seen.state, ...rulesOf(input) });
    return {
      kind: "planned",
      state: seen.state,
      plan,
      history: recordUses(input.history, seen.state, plan.uses, input.maxGap),
    };
  } catch (error) {
    if (error instanceof RuntimeError) return { kind: "failed", error };
    throw error;
  }
}

/** Runs one whole round and reports it. */
export async function runRound(input: RoundInput): Promise<RoundResult> {
  const { clock, report } = input;
  const startedAt = clock.elapsed();
  const seconds = (): number => (clock.elapsed() - startedAt) / 1000;
  const planning = planRound(input, needsOf(input));
  const meter = input.measureAtOnce === true && input.withheld === undefined ? startMeter(input) : undefined;
  const planned = await planning;
  if (planned.kind === "skipped") {
    report({ kind: "round-skipped", seconds: seconds(), reason: planned.reason, message: planned.message });
    return planned;
  }
  if (planned.kind === "failed") {
    // A look that was broken off because the program stops is no failure of the node.
    if (input.signal?.aborted) return planned;
    report({ kind: "round-failed", seconds: seconds(), message: planned.error.message });
    return planned;
  }
  const { trigger, withheld } = input;
  const why = { ...(trigger === undefined ? {} : { trigger }), ...(withheld === undefined ? {} : { withheld }) };
  report({ ...planned, filesystems: await filesystemsOf(input), ...why });
  if (input.approve !== undefined && !(await input.approve(planned))) return { ...planned, kind: "declined" };
  const outcome = withheld === undefined ? await act(input, planned, meter) : nothingDone;
  report({ kind: "round-done", at: clock.now(), seconds: seconds(), plan: planned.plan, outcome });
  return { ...planned, kind: "done", outcome, durationMs: Math.round(seconds() * 1000) };
}

const nothingDone: Outcome = { names: [], deleted: [], reclaimedBytes: 0 };

function startMeter({ runtime, clock, callTimeoutMs }: RoundInput): Promise<FreedMeter> {
  const meter = createFreedMeter(runtime, clock, { timeoutMs: callTimeoutMs });
  // A round that removes nothing never asks for it.
  meter.catch(() => undefined);
  return meter;
}

function act(input: RoundInput, { state, plan }: Planned, meter: Promise<FreedMeter> | undefined): Promise<Outcome> {
  const { runtime, pods, clock, concurrency, callTimeoutMs, report, signal, stopping, pauseMs = 0, announce } = input;
  const planned: PlanInput = { state, ...rulesOf(input) };
  return execute({
    planned,
    plan,
    runtime,
    pods,
    clock,
    freshFor,
    concurrency,
    callTimeoutMs,
    pauseMs,
    onName: (outcome) => report({ kind: "name-done", outcome }),
    ...(meter === undefined ? {} : { meter }),
    ...(signal === undefined ? {} : { signal }),
    ...(stopping === undefined ? {} : { stopping }),
    ...(announce === undefined ? {} : { announce }),
  });
}

/** Disk use is worth knowing, but a round does not fail for want of it. */
async function filesystemsOf({ runtime, callTimeoutMs, signal }: RoundInput): Promise<readonly FilesystemUsage[]> {
  try {
    return await runtime.filesystems({ timeoutMs: callTimeoutMs, ...stoppedBy(signal) });
  } catch (error) {
    if (error instanceof RuntimeError) return [];
    throw error;
  }
}

function stoppedBy(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
