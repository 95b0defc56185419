// `prunelet prune`: one round. Asks a person first, unless told not to.
import { createInterface } from "node:readline/promises";
import type { Plan } from "../decide/plan.ts";
import { writeHistoryFile } from "../observe/history-file.ts";
import { type Planned, runRound } from "../reconcile/round.ts";
import { formatEstimate } from "../report/bytes.ts";
import type { ReportSink } from "../report/event.ts";
import { planReport } from "../report/plan-json.ts";
import { openCommandAudit } from "./audit.ts";
import { type CommandContext, podsReady, usesHistory, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import { print } from "./output.ts";
import { type PlanFlags, planCommand } from "./plan.ts";
import { count, outcomeTable } from "./plan-table.ts";
import { removalProgress } from "./removal-progress.ts";
import { stopSignal } from "./signals.ts";
import { tellUnmatched } from "./unmatched-patterns.ts";

export interface PruneFlags extends PlanFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Runs the command and returns its exit code. */
export function pruneCommand(flags: PruneFlags): Promise<number> {
  if (flags.dryRun) return planCommand(flags);
  return withSession(flags, async (context) => {
    const { session } = context;
    await podsReady(session);
    const startedAt = performance.now();
    const stop = stopSignal();
    const audit = openCommandAudit({ ...context, report: withoutRefusals(context.report) }, "prune");
    const progress = removalProgress(process.stderr, process.env);
    const result = await runRound({
      ...session,
      policy: context.policy,
      concurrency: context.config.act.concurrency,
      pauseMs: context.config.safety.pause,
      callTimeoutMs: context.config.act.callTimeout,
      report: (event) => {
        // First the bar: it makes room for what is logged.
        progress.sink(event);
        audit.report(event);
      },
      announce: audit.announce,
      signal: stop.signal,
      measureAtOnce: flags.yes === true,
      approve: (planned) => approve(planned, flags, context),
    }).finally(() => {
      stop.release();
      progress.clear();
    });
    await audit.close();
    if (result.kind === "failed") throw result.error;
    if (result.kind === "skipped") throw new CommandError(`nothing was removed: ${result.message}`);
    if (result.kind === "declined") {
      const refusal = refusalOf(result.plan);
      if (refusal !== undefined) printRefused(flags, result, performance.now() - startedAt);
      throw new CommandError(`nothing was removed: ${refusal ?? "not confirmed"}`, exitCode.refused);
    }
    const report = planReport(result);
    print(flags.output, report, () => outcomeTable(report));
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, result.history);
    return report.failed.length > 0 || report.leftAlone.some((left) => left.result === "skipped")
      ? exitCode.failed
      : exitCode.done;
  });
}

/** The last gate before anything is removed: the limits let something go, the state file can be written, and somebody said yes. */
async function approve(planned: Planned, flags: PruneFlags, { session, config }: CommandContext): Promise<boolean> {
  tellUnmatched(flags.keep, planned.state);
  if (refusalOf(planned.plan) !== undefined) return false;
  if (session.origin !== "live") return true;
  const names = planned.plan.images.flatMap((image) => image.names.filter(({ action }) => action === "untag")).length;
  if (names > 0 && !flags.yes && !(await confirmed(planned, names))) return false;
  if (usesHistory(flags, config)) writeHistoryFile(config.stateFile, planned.history);
  return true;
}

/**
 * Why nothing may be removed, and the mend: a limit that lets no image go at all is a refusal, because what is left of the plan
 * would only take names away. Undefined when something may go.
 */
function refusalOf({ brakes, images }: Plan): string | undefined {
  const cuts = brakes.filter(({ code }) => code !== "backoff");
  if (cuts.length === 0 || images.some(({ action }) => action === "delete")) return undefined;
  const limits = cuts.map(({ detail }) => detail).join("; ");
  return `${limits}: raise safety.maxRemovalFraction or safety.maxRemovalsPerRun to let some go`;
}

/** The error of a refusal names the limits, so that the log need not. */
function withoutRefusals(report: ReportSink): ReportSink {
  return (event) => {
    const refused = event.kind === "planned" && refusalOf(event.plan) !== undefined;
    report(refused ? { ...event, plan: { ...event.plan, brakes: [] } } : event);
  };
}

/** For programs: a refusal is an answer, too. People read it on stderr. */
function printRefused({ output }: PruneFlags, { state, plan }: Planned, durationMs: number): void {
  const outcome = { names: [], deleted: [], reclaimedBytes: 0 };
  if (output === "json" || output === "yaml") {
    print(output, planReport({ state, plan, outcome, durationMs: Math.round(durationMs) }), () => "");
  }
}

async function confirmed({ plan }: Planned, names: number): Promise<boolean> {
  const images = plan.images.filter(({ action }) => action === "delete").length;
  const what = `${count(images, "image")} and ${count(names, "name")} (${formatEstimate(plan.plannedBytes, plan.approximate)})`;
  if (!process.stdin.isTTY) {
    const message = `${what} would be removed: add --yes to do it without being asked, or --dry-run to look at the plan`;
    throw new CommandError(message, exitCode.refused);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`Remove ${what}? [y/N] `)).trim());
  } catch (error) {
    // Ctrl-C and Ctrl-D are no yes.
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  } finally {
    terminal.close();
  }
}
