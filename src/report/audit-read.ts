// Reads audit files back, line by line, whatever their size. Torn lines and lines of a later version are passed over and counted.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type AuditRecord, parseAuditLine } from "./audit-record.ts";
import { auditFiles } from "./audit-rotation.ts";

export interface AuditReading {
  /** Called for each record, the oldest first. */
  readonly onRecord: (record: AuditRecord) => void;
  /** How many files are read, the newest ones; all when undefined. */
  readonly files?: number;
}

export interface AuditRead {
  /** The files that were read, the newest first. */
  readonly files: readonly string[];
  /** Lines that hold no record. */
  readonly unreadable: number;
}

/** Reads the file and those that were put aside. Throws what the file system throws, unless there is no file. */
export async function readAudit(file: string, { onRecord, files: most }: AuditReading): Promise<AuditRead> {
  const files = (await auditFiles(file)).slice(0, most);
  let unreadable = 0;
  for (const path of files.toReversed()) {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line === "") continue;
      const record = parseAuditLine(line);
      if (record === undefined) unreadable += 1;
      else onRecord(record);
    }
  }
  return { files, unreadable };
}
