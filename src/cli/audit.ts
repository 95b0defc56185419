// Opens the audit for a command: real nodes are recorded, captured and simulated ones are not.
import { hostname } from "node:os";
import { type Audit, openAudit } from "../report/audit.ts";
import type { AuditFileSettings } from "../report/audit-file.ts";
import type { AuditRecord } from "../report/audit-record.ts";
import type { ReportSink } from "../report/event.ts";
import type { CommandContext } from "./command-context.ts";
import type { Session } from "./compose.ts";

export interface CommandAudit {
  readonly command: AuditRecord["command"];
  /** May change while the command runs. */
  readonly settings: () => AuditFileSettings;
  readonly report: ReportSink;
}

/** The audit of a session. */
export function auditOf({ origin, ownNode, clock }: Session, { command, settings, report }: CommandAudit): Audit {
  return openAudit({
    origin: { node: ownNode?.nodeName ?? hostname(), command, pid: process.pid },
    clock,
    settings: () => (origin === "live" ? settings() : { ...settings(), file: "" }),
    report,
    isAlive,
  });
}

/** The audit of a command that a person typed, with a sink that feeds it as well as the log. */
export function openCommandAudit({ session, config, report }: CommandContext, command: "prune" | "rmi") {
  const audit = auditOf(session, { command, settings: () => config.audit, report });
  const both: ReportSink = (event) => {
    report(event);
    audit.sink(event);
  };
  return { ...audit, report: both };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
