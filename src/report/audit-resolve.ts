// Intents that a crash left open: the node tells what became of them. Pure.
import type { NameResult } from "../act/outcome.ts";
import type { NodeState } from "../image/node-state.ts";
import { deletedLine, nameLine, type Where } from "./audit-lines.ts";
import type { AuditRecord, AuditRecordOf } from "./audit-record.ts";

type Intent = AuditRecordOf<"intent">;

/** An intent and the names of it that no line tells the end of. */
export interface OpenIntent {
  readonly intent: Intent;
  readonly waiting: ReadonlySet<string>;
  /** True when a line says that a name of it was left. */
  readonly someLeft: boolean;
  /** True when a line says that a name of it was removed. */
  readonly someGone: boolean;
}

interface Mutable {
  readonly intent: Intent;
  readonly waiting: Set<string>;
  someLeft: boolean;
  someGone: boolean;
}

/** Finds intents without an end among records that come in the order of time. */
export class OpenIntents {
  readonly #open = new Map<string, Mutable>();

  add(record: AuditRecord): void {
    if (record.event === "intent") {
      this.#open.set(record.id, { intent: record, waiting: new Set(record.names), someLeft: false, someGone: false });
      return;
    }
    if (record.event !== "untagged" && record.event !== "left" && record.event !== "deleted") return;
    const one = this.#open.get(record.id);
    if (one === undefined) return;
    if (record.event === "deleted") one.waiting.clear();
    else one.waiting.delete(record.name);
    one.someLeft ||= record.event === "left" && record.result !== "already-gone";
    one.someGone ||= record.event === "untagged";
    // The line about the image itself comes after that of the last name: without it the intent is still open.
    const imageToCome = one.intent.deletes && one.someGone && !one.someLeft && record.event !== "deleted";
    if (one.waiting.size === 0 && !imageToCome) this.#open.delete(record.id);
  }

  list(): readonly OpenIntent[] {
    return [...this.#open.values()];
  }
}

/** The lines that close an intent; none when the node does not show its namespace. */
export function resolveIntent(
  { intent, waiting, someLeft }: OpenIntent,
  state: NodeState,
  where: Where,
): AuditRecord[] {
  const namespace = state.namespaces.find(({ name }) => name === intent.namespace);
  if (namespace === undefined) return [];
  const names = new Map(namespace.names.map(({ name, target }) => [name, target as string]));
  const lines = [...waiting].map((name) => {
    const target = names.get(name);
    return { ...nameLine(intent, name, resultOf(target, intent.target), where), recovered: true };
  });
  const gone = intent.deletes && !someLeft && lines.every(({ event }) => event === "untagged");
  const present = namespace.names.some(({ target }) => target === intent.target);
  return gone && !present ? [...lines, { ...deletedLine(intent, where), recovered: true }] : lines;
}

function resultOf(target: string | undefined, expected: string): NameResult {
  if (target === undefined) return { kind: "removed" };
  if (target !== expected) return { kind: "moved" };
  return { kind: "skipped", message: "prunelet was ended before it removed it" };
}
