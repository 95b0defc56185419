// The table of `history`: what went and why, the newest at the end.
import { describeDuration } from "../decide/duration.ts";
import { shortHex } from "../image/digest.ts";
import type { AuditRecord } from "../report/audit-record.ts";
import { formatBytes } from "../report/bytes.ts";
import { imageTitle, shortened } from "./image-text.ts";
import { renderTable } from "./output.ts";
import { count } from "./plan-table.ts";

export interface HistoryNotes {
  /** Older records that are not listed. */
  readonly more: number;
  /** Lines that hold no record. */
  readonly unreadable: number;
}

/** A row for each record, and what is to be known beside them. */
export function historyTable(records: readonly AuditRecord[], { more, unreadable }: HistoryNotes): string {
  const notes = [
    ...(more > 0 ? [`${count(more, "older record")} not listed: --limit 0 lists all`] : []),
    ...(unreadable > 0
      ? [`${count(unreadable, "line")} could not be read: torn by a crash, or of another version`]
      : []),
  ];
  if (records.length === 0) return ["nothing was removed, as far as this is recorded", ...notes].join("\n");
  const header = ["TIME", "WHAT", "NAME", "IMAGE", "FREED", "REASON", "BY", "UNUSED FOR"];
  const table = renderTable(header, records.map(rowOf));
  return notes.length === 0 ? table : [table, "", ...notes].join("\n");
}

function rowOf(record: AuditRecord): string[] {
  const time = `${record.time.slice(0, 19).replace("T", " ")}Z`;
  switch (record.event) {
    case "lost":
      return [time, "lost", count(record.lines, "line"), "", "", "the file could not be written", record.command, ""];
    case "freed":
      return [time, "freed", "", "", formatBytes(record.bytes), "", record.command, ""];
    case "deleted":
    case "intent": {
      const title = imageTitle(record.names, record.image);
      const freed = record.event === "deleted" ? formatBytes(record.bytes) : "";
      return [time, record.event, title, shortHex(record.image), freed, ...whyOf(record)];
    }
    case "untagged":
    case "left":
      return [time, record.event, shortened(record.name), shortHex(record.image), "", ...whyOf(record)];
  }
}

type ImageRecord = Exclude<AuditRecord, { event: "lost" | "freed" }>;

function whyOf(record: ImageRecord): [reason: string, by: string, unused: string] {
  const { reason, mode, command, lastUsed, time } = record;
  const why = record.event === "left" ? `${record.result}: ${record.message}` : reason;
  const late = "recovered" in record && record.recovered === true ? ", found later" : "";
  const by = mode === "routine" || mode === "requested" || mode === reason ? command : `${command} (${mode})`;
  const unused = lastUsed === null ? "" : describeDuration(Math.max(0, Date.parse(time) - Date.parse(lastUsed)));
  return [`${why}${late}`, by, unused];
}
