// `prunelet rmi REF...`: removes names and images that a person names, with the semantics of Docker's command of that name.
import { removeReferences } from "../act/remove.ts";
import type { ReferenceOutcome } from "../act/remove-outcome.ts";
import { isCriNamespace } from "../decide/cri-namespace.ts";
import { unseenContainers } from "../decide/unseen-containers.ts";
import type { NodeState } from "../image/node-state.ts";
import { findKubernetes } from "../kubernetes/connection.ts";
import { KubernetesConfigError } from "../kubernetes/errors.ts";
import { observeNode } from "../observe/observe-node.ts";
import type { ReportSink } from "../report/event.ts";
import { printable } from "../report/printable.ts";
import { failureLine, removalLines, removalsReport } from "../report/removal-report.ts";
import { openCommandAudit } from "./audit.ts";
import { type CommandContext, podsReady, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { print } from "./output.ts";
import { stopSignal } from "./signals.ts";

export interface RmiFlags extends CommonFlags {
  readonly force?: boolean;
  /** commander's form of `--no-prune`: false when it was given. */
  readonly prune?: boolean;
}

const withoutPods = "--pods none together with --force removes without looking at pods";

/** Runs the command and returns its exit code. */
export function rmiCommand(references: readonly string[], flags: RmiFlags): Promise<number> {
  return withSession(flags, async (context) => {
    const { session, config, report } = context;
    const startedAt = performance.now();
    await podsReady(session);
    const seen = await observeNode(session);
    if (seen.kind === "refused") throw new CommandError(`nothing was removed: ${seen.message}; ${withoutPods}`);
    const { state } = seen;
    tellUnseen(state, report);
    if (!flags.force) await refuseBlindness(state, context);
    const stop = stopSignal();
    const audit = openCommandAudit(context, "rmi");
    const outcome = await removeReferences({
      ...session,
      state,
      namespaces: flags.namespace,
      references,
      force: flags.force === true,
      noPrune: flags.prune === false,
      origin: session.origin === "captured" ? "captured" : "live",
      callTimeoutMs: config.act.callTimeout,
      signal: stop.signal,
      beforeRemoval: audit.beforeRequest,
      onReference: (done) => {
        audit.report({ kind: "reference-done", outcome: done });
        tell(done, flags);
      },
    }).finally(stop.release);
    audit.report({ kind: "references-done", outcome });
    await audit.close();
    const durationMs = Math.round(performance.now() - startedAt);
    print(flags.output, removalsReport({ state, outcome, durationMs }), () => "");
    const { collectFailure } = outcome;
    if (collectFailure !== undefined) warn(`the space is not freed yet: ${collectFailure.message}`);
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, session.history);
    return collectFailure === undefined ? codeOf(outcome.references) : exitCode.failed;
  });
}

/** A plan brings its own warnings; here there is none. */
function tellUnseen({ runtime }: NodeState, report: ReportSink): void {
  for (const message of unseenContainers(runtime)) report({ kind: "notice", level: "warn", message });
}

/** `--pods none` alone is not enough where Kubernetes would tell the pods: something may just have been scheduled. */
async function refuseBlindness(state: NodeState, { session, config }: CommandContext): Promise<void> {
  const asked = session.origin === "live" && config.pods.source === "none";
  if (!asked || !state.namespaces.some(({ name }) => isCriNamespace(name))) return;
  if (!(await isKubernetesNode(config.pods))) return;
  throw new CommandError(`nothing was removed: the pods of this node are not looked at; ${withoutPods}`);
}

async function isKubernetesNode({ kubeconfig, nodeName }: CommandContext["config"]["pods"]): Promise<boolean> {
  try {
    const found = await findKubernetes({
      mode: "auto",
      env: process.env,
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(nodeName === undefined ? {} : { nodeName }),
    });
    return found.kind === "kubernetes";
  } catch (error) {
    if (error instanceof KubernetesConfigError) return true;
    throw error;
  }
}

/** Tells people about one reference as soon as it is done. */
function tell(done: ReferenceOutcome, flags: RmiFlags): void {
  if (flags.output === undefined || flags.output === "table") {
    print("table", undefined, () => removalLines(done).map(printable).join("\n"));
  }
  if (done.error !== undefined) warn(failureLine(done.error, done.reference));
}

function warn(line: string): void {
  process.stderr.write(`prunelet: ${printable(line)}\n`);
}

/** A call of nothing but references that cannot be read is wrong usage. */
function codeOf(references: readonly ReferenceOutcome[]): number {
  const failures = references.flatMap(({ error }) => error ?? []);
  if (failures.length === 0) return exitCode.done;
  const unreadable = failures.filter(({ status, reason }) => status === 400 && reason === "invalid_argument");
  return unreadable.length === references.length ? exitCode.usage : exitCode.failed;
}
