// One round with something of everything, for tests of what is said about it.
import type { NameOutcome, NameResult, Outcome } from "../../src/act/outcome.ts";
import type { Plan } from "../../src/decide/plan.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { podOf } from "../support/fake-pods.ts";
import { digestOf, imageOf, nodeOf } from "../support/node-builder.ts";
import { planScene } from "../support/planned.ts";

export const used = imageOf("used");
export const spare = imageOf("spare");
const pinned = { ...imageOf("pinned"), pinned: true };

/** An image in use with a spare tag, an unused one that goes, a pinned one that stays. */
export const plan: Plan = planScene({
  images: [used, spare, pinned],
  names: [
    ["r.example/used:1", used],
    ["r.example/used:0", used],
    ["r.example/spare:1", spare],
    [spare.id, spare],
    ["r.example/pinned:1", pinned],
  ],
  pods: [podOf("p", ["r.example/used:1"])],
});

export const state: NodeState = nodeOf();

export function nameOutcome(name: string, result: NameResult, more: Partial<NameOutcome> = {}): NameOutcome {
  return { namespace: "k8s.io", name, target: digestOf(name), reason: "unused", result, seconds: 0.002, ...more };
}

/** An outcome in which names ended in each possible way. */
export const mixed: Outcome = {
  names: [
    nameOutcome("r.example/spare:1", { kind: "removed" }),
    nameOutcome("r.example/used:0", { kind: "removed" }, { reason: "spare-name" }),
    nameOutcome("a:gone", { kind: "already-gone" }),
    nameOutcome("a:moved", { kind: "moved" }),
    nameOutcome("a:used", { kind: "in-use", message: "pod default/p" }),
    nameOutcome("a:skipped", { kind: "skipped", message: "the round was stopped" }),
    nameOutcome("a:failed", { kind: "failed", reason: "conflict", message: "locked" }),
  ],
  deleted: [{ namespace: "k8s.io", id: spare.id, target: spare.target, reason: "unused" }],
  reclaimedBytes: 3_300,
};

/** An outcome without a failure. */
export const good: Outcome = { ...mixed, names: mixed.names.filter(({ result }) => result.kind === "removed") };

export function roundDone(outcome: Outcome): ReportEvent {
  return { kind: "round-done", at: 1_700_000_000_500, seconds: 0.3, plan, outcome };
}
