// `prunelet plan`: what would be removed and kept, and why. Changes nothing.
import { toPolicy } from "../config/policy.ts";
import type { Demand } from "../decide/demand.ts";
import { needsOf } from "../decide/needs.ts";
import { makePlan, type Plan } from "../decide/plan.ts";
import { type PlanResult, planRound } from "../reconcile/round.ts";
import { comparePlans, type PlanDifference } from "../report/plan-difference.ts";
import { planReport } from "../report/plan-json.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";
import { type CommandContext, podsReady, withSession } from "./command-context.ts";
import { demandNow, targetOf, visibleDisks } from "./disk.ts";
import { diskBar, diskUse } from "./disk-bar.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags } from "./flags.ts";
import { print } from "./output.ts";
import { planTable } from "./plan-table.ts";
import { lookOf } from "./terminal.ts";
import { tellUnmatched } from "./unmatched-patterns.ts";
import { readWhatIf, type WhatIf } from "./what-if.ts";
import { whatIfText } from "./what-if-text.ts";

export interface PlanFlags extends CommonFlags, PolicyFlags {
  readonly all?: boolean;
  readonly whatIf?: string[];
}

type Seen = Extract<PlanResult, { kind: "planned" }>;

/** Runs the command and returns its exit code. */
export function planCommand(flags: PlanFlags): Promise<number> {
  const whatIf = flags.whatIf === undefined ? undefined : readWhatIf(flags.whatIf);
  return withSession(flags, (context) => explain(flags, context, whatIf), { needsHistory: whatIf !== undefined });
}

async function explain(flags: PlanFlags, context: CommandContext, whatIf: WhatIf | undefined): Promise<number> {
  const { session, report, config } = context;
  const startedAt = performance.now();
  await podsReady(session);
  const looking = visibleDisks(session, config.pressure);
  const underPressure = isAgentsView(flags) || whatIf?.asksForPressure === true;
  const seen = await look(context, underPressure ? demandNow(config.pressure, await looking) : undefined, whatIf);
  const disks = await looking;
  tellUnmatched(flags.keep, seen.state);
  for (const warning of seen.plan.warnings) report({ kind: "notice", level: "warn", message: warning });
  const difference = whatIf && (await differenceWith(whatIf, { context, seen, disks, underPressure }));
  const durationMs = Math.round(performance.now() - startedAt);
  const data = {
    ...planReport({ ...seen, durationMs }),
    disks: disks.map((disk) => ({ ...diskUse(disk, seen.plan, targetOf(config.pressure, disk)) })),
    ...(difference && { whatIf: { settings: whatIf.written, ...difference } }),
  };
  print(flags.output, data, () => {
    if (whatIf !== undefined && difference) return whatIfText(whatIf.written, difference);
    return [planTable(seen.plan, { all: flags.all ?? false }), ...bars(seen.plan, disks, context)].join("\n\n");
  });
  if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, session.history);
  return exitCode.done;
}

/** Pressure counts where the configuration is that of an agent; a person without one asks what nothing uses. */
function isAgentsView(flags: PlanFlags & { readonly dryRun?: boolean }): boolean {
  return flags.dryRun !== true && (flags.config ?? process.env["PRUNELET_CONFIG"]) !== undefined;
}

/** Other settings may ask for more than those that the node is looked at for. */
async function look(
  { session, policy }: CommandContext,
  demand: Demand | undefined,
  whatIf: WhatIf | undefined,
): Promise<Seen> {
  const rules = { ...session, policy, ...(demand && { demand }) };
  const imageConfigs = whatIf !== undefined || needsOf(rules).imageConfigs;
  const result = await planRound(rules, { imageConfigs });
  if (result.kind === "failed") throw result.error;
  if (result.kind === "skipped") throw new CommandError(`no plan without the pods of this node: ${result.message}`);
  return result;
}

interface Question {
  readonly context: CommandContext;
  readonly seen: Seen;
  readonly disks: readonly FilesystemUsage[];
  readonly underPressure: boolean;
}

/** The same look at the node, judged by other settings. */
async function differenceWith({ tree }: WhatIf, question: Question): Promise<PlanDifference> {
  const { context, seen, disks, underPressure } = question;
  const { session } = context;
  const other = await context.configWith(tree);
  const demand = underPressure ? demandNow(other.pressure, disks) : undefined;
  const policy = toPolicy(other, session.clock.now());
  return comparePlans(
    seen.plan,
    makePlan({ state: seen.state, history: session.history, policy, ...(demand && { demand }) }),
  );
}

/** For people at a terminal: what the disk holds. */
function bars(plan: Plan, disks: readonly FilesystemUsage[], { config }: CommandContext): string[] {
  const view = lookOf(process.stdout, process.env);
  if (view === undefined) return [];
  const known = disks.filter(({ capacityBytes }) => capacityBytes > 0);
  return known.map((disk) => diskBar(diskUse(disk, plan, targetOf(config.pressure, disk)), view));
}
