// `prunelet plan`: what would be removed and kept, and why. Changes nothing.
import { planRound } from "../reconcile/round.ts";
import { planReport } from "../report/plan-json.ts";
import { podsReady, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags } from "./flags.ts";
import { print } from "./output.ts";
import { planTable } from "./plan-table.ts";

export interface PlanFlags extends CommonFlags, PolicyFlags {
  readonly all?: boolean;
}

/** Runs the command and returns its exit code. */
export function planCommand(flags: PlanFlags): Promise<number> {
  return withSession(flags, async ({ session, policy, report }) => {
    const startedAt = performance.now();
    await podsReady(session);
    const result = await planRound({ ...session, policy });
    if (result.kind === "failed") throw result.error;
    if (result.kind === "skipped") throw new CommandError(`no plan without the pods of this node: ${result.message}`);
    for (const warning of result.plan.warnings) report({ kind: "notice", level: "warn", message: warning });
    const durationMs = Math.round(performance.now() - startedAt);
    print(flags.output, planReport({ ...result, durationMs }), () =>
      planTable(result.plan, { all: flags.all ?? false }),
    );
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, session.history);
    return exitCode.done;
  });
}
