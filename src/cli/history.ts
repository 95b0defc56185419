// `prunelet history`: what was removed on this node, when and why, from the audit file and those that were put aside.
import { loadConfig } from "../config/load.ts";
import { parseUntil, untilForm } from "../config/until.ts";
import { readAudit } from "../report/audit-read.ts";
import { commandSources } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { AuditSelection, type Wanted } from "./history-selection.ts";
import { historyTable } from "./history-table.ts";
import { print } from "./output.ts";

export interface HistoryFlags extends CommonFlags {
  readonly since?: string;
  readonly until?: string;
  readonly image?: string[];
  readonly reason?: string[];
  readonly limit?: string;
  readonly all?: boolean;
}

/** Runs the command and returns its exit code. */
export async function historyCommand(flags: HistoryFlags): Promise<number> {
  if (flags.snapshot !== undefined) {
    throw new CommandError("a captured node has no history of removals: leave --snapshot out", exitCode.usage);
  }
  const { file } = loadConfig(commandSources(flags, { ages: false })).audit;
  if (file === "") throw new CommandError("nothing is recorded: audit.file is empty", exitCode.usage);
  const selection = new AuditSelection(wantedOf(flags, Date.now()));
  const { files, unreadable } = await read(file, selection);
  if (files.length === 0) {
    process.stderr.write(
      `prunelet: there is no audit file ${file}: nothing was removed yet, or it is elsewhere (--audit-file)\n`,
    );
  }
  const { records, more } = selection.result();
  print(flags.output, { files, unreadable, more, records }, () => historyTable(records, { more, unreadable }));
  return exitCode.done;
}

async function read(file: string, selection: AuditSelection) {
  try {
    return await readAudit(file, { onRecord: (record) => selection.add(record) });
  } catch (error) {
    const cause = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CommandError(`cannot read the audit file ${file} (${cause}): check its path and permissions`);
  }
}

function wantedOf({ since, until, image = [], reason = [], limit, all = false }: HistoryFlags, now: number): Wanted {
  return {
    since: since === undefined ? undefined : moment("--since", since, now),
    until: until === undefined ? undefined : moment("--until", until, now),
    images: image,
    reasons: reason,
    limit: limitOf(limit ?? "100"),
    all,
  };
}

function moment(flag: string, text: string, now: number): number {
  const instant = parseUntil(text, now);
  if (instant === undefined) throw new CommandError(`${flag} ${text} is no moment: write ${untilForm}`, exitCode.usage);
  return instant;
}

function limitOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text);
  throw new CommandError(`--limit ${text} is no number: write e.g. 20, or 0 for no limit`, exitCode.usage);
}
