// The lines that close an intent: what became of its names and of its image.
import type { NameResult } from "../act/outcome.ts";
import type { AuditRecord, AuditRecordOf } from "./audit-record.ts";
import { whyLeft } from "./left-alone.ts";

/** When and where a line is written. */
export type Where = Pick<AuditRecord, "time" | "node" | "runtime" | "command">;

type Intent = AuditRecordOf<"intent">;

/** The line for one name of an intent, whatever became of it. */
export function nameLine(
  intent: Intent,
  name: string,
  result: NameResult,
  where: Where,
): AuditRecordOf<"untagged"> | AuditRecordOf<"left"> {
  const message = whyLeft(result);
  if (message === undefined) return { event: "untagged", ...about(intent, where), name };
  const code = result.kind === "failed" ? result.reason : result.kind;
  return { event: "left", ...about(intent, where), name, result: code, message };
}

/** The line for an image whose names are all gone. */
export function deletedLine(intent: Intent, where: Where): AuditRecordOf<"deleted"> {
  const { names, bytes, aloneBytes } = intent;
  return { event: "deleted", ...about(intent, where), names, bytes, aloneBytes };
}

function about(intent: Intent, where: Where) {
  const { id, namespace, mode, reason, image, target, digests, lastUsed } = intent;
  return { ...where, id, namespace, mode, reason, image, target, digests, lastUsed };
}
