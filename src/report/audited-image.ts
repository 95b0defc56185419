// What the audit says of an image: taken from its verdict in a plan, or from the node when a person asked for its removal.
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import { measureReclaim } from "../decide/reclaim.ts";
import type { NodeRemoval } from "../decide/removal-on-node.ts";
import type { Image, NodeState } from "../image/node-state.ts";
import type { AuditedImage, AuditRecordOf } from "./audit-record.ts";
import { lastUseSeen } from "./last-use.ts";

type Mode = AuditRecordOf<"intent">["mode"];

/** An image with the reason in words. */
export type ExplainedImage = AuditedImage & { readonly detail: string };

/** What is said of an image that a plan wants to change. */
export function auditedImage(verdict: ImageVerdict, plan: Plan | undefined): ExplainedImage {
  const removal = verdict.names.find(({ action }) => action === "untag")?.reasons[0];
  const code = removal?.code ?? "unused";
  return {
    ...identity(verdict.namespace, verdict.image),
    mode: modeOf(code, plan?.demand),
    reason: code,
    detail: removal?.detail ?? "",
    lastUsed: lastUseSeen(verdict, plan),
    bytes: verdict.action === "delete" ? verdict.bytesInPlan : 0,
    aloneBytes: verdict.bytes,
  };
}

const modes: Readonly<Record<string, Mode>> = { "remove-list": "remove-list", "over-budget": "budget" };

function modeOf(code: string, demand: Plan["demand"]): Mode {
  if (code === "pressure") return demand?.mode === "emergency" ? "emergency" : "pressure";
  return modes[code] ?? "routine";
}

/** An image that a person's request touches, and which of its names are to go. */
export interface RequestedImage {
  readonly image: ExplainedImage;
  readonly names: readonly string[];
  readonly deletes: boolean;
}

/** What is said of each image that a requested removal touches. */
export function auditedRequest({ namespace, plan, emptied }: NodeRemoval, state: NodeState): readonly RequestedImage[] {
  const known = state.namespaces.find(({ name }) => name === namespace)?.images ?? [];
  const holders = state.namespaces.flatMap(({ name, images }) => images.map((image) => ({ namespace: name, image })));
  const reclaim = measureReclaim(state, holders);
  const going = plan.steps.filter(({ kind }) => kind !== "create-dangling");
  return [...Map.groupBy(going, ({ target }) => target)].flatMap(([target, steps]) => {
    const image = known.find((one) => one.target === target);
    if (image === undefined) return [];
    const deletes = emptied.some((one) => one.target === target);
    const aloneBytes = reclaim.alone(namespace, image);
    const said = {
      ...identity(namespace, image),
      mode: "requested",
      reason: "requested",
      detail: "a person asked for it",
      lastUsed: null,
      bytes: deletes ? aloneBytes : 0,
      aloneBytes,
    } as const;
    return [{ image: said, names: steps.map(({ name }) => name), deletes }];
  });
}

function identity(namespace: string, { id, target, digests }: Image) {
  return { namespace, image: id, target, digests };
}
