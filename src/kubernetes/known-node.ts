// A node without a single pod is a rare thing, and a wrong node name is not: before an empty list is believed, the node is asked for.
import { type Clock, systemClock } from "./clock.ts";
import type { KubernetesConnection } from "./connection.ts";
import { messageOf } from "./errors.ts";
import { nodeExists } from "./node.ts";
import type { PodSource, PodsView } from "./pod-source.ts";
import { type Deadlines, defaultDeadlines } from "./request.ts";

export interface KnownNodeOptions {
  readonly connection: KubernetesConnection;
  readonly nodeName: string;
  readonly clock?: Clock;
  readonly deadlines?: Deadlines;
}

type Finding =
  | { readonly kind: "asking" }
  | { readonly kind: "there" }
  | { readonly kind: "doubtful"; readonly reason: string; readonly at: number };

/** Milliseconds after which a node that was not there is asked for again. */
const askAgainAfter = 30_000;

/**
 * The same pod source; but while no pod is bound to the node, its view is synced only once the API server said that there is such
 * a node. Costs one request each time the last pod goes; none on a node that has pods, as every node of a cluster has.
 */
export function withKnownNode(source: PodSource, options: KnownNodeOptions): PodSource {
  const { connection, nodeName, clock = systemClock, deadlines = defaultDeadlines } = options;
  const stopping = new AbortController();
  const listeners = new Set<() => void>();
  let finding: Finding | undefined;
  let asking: Promise<void> = Promise.resolve();
  const doubtful = (reason: string): Finding => ({ kind: "doubtful", reason, at: clock.now() });
  const ask = async (): Promise<void> => {
    const context = { connection, clock, deadlines, signal: stopping.signal };
    const found = await nodeExists(context, nodeName).then(
      (there): Finding => (there ? { kind: "there" } : doubtful(`the API server knows no node ${nodeName}: ${mend}`)),
      (error: unknown) =>
        doubtful(`no pod is bound to node ${nodeName}, and it cannot be asked for: ${messageOf(error)}`),
    );
    finding = found;
    for (const listener of listeners) listener();
  };
  const askIfDue = (): void => {
    if (stopping.signal.aborted || finding?.kind === "asking" || finding?.kind === "there") return;
    if (finding !== undefined && clock.now() - finding.at < askAgainAfter) return;
    finding = finding === undefined ? { kind: "asking" } : { ...finding, at: clock.now() };
    asking = ask();
  };
  const view = (): PodsView => {
    const seen = source.view();
    if (seen.kind !== "synced") return seen;
    if (seen.pods.length > 0) {
      finding = undefined;
      return seen;
    }
    askIfDue();
    if (finding?.kind === "there") return seen;
    const reason =
      finding?.kind === "doubtful" ? finding.reason : `no pod is bound to node ${nodeName}, it is asked for`;
    return { kind: "unsynced", reason };
  };
  return {
    ...source,
    view,
    async ready(timeoutMs) {
      await source.ready(timeoutMs);
      view();
      await asking;
      return view();
    },
    onChange(listener) {
      listeners.add(listener);
      const unsubscribe = source.onChange(listener);
      return () => {
        listeners.delete(listener);
        unsubscribe();
      };
    },
    async stop() {
      stopping.abort();
      await source.stop();
      await asking;
    },
  };
}

const mend = "check NODE_NAME or --node-name, and whether the node was removed from the cluster";
