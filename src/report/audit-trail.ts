// The audit trail: what is written before an image is touched, and what became of each of its names. Pure but for the ids.
import type { NameOutcome, NameResult, Outcome } from "../act/outcome.ts";
import type { ReferenceOutcome } from "../act/remove-outcome.ts";
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import type { NodeRemoval } from "../decide/removal-on-node.ts";
import type { NodeState } from "../image/node-state.ts";
import { deletedLine, nameLine, type Where } from "./audit-lines.ts";
import type { AuditRecord, AuditRecordOf } from "./audit-record.ts";
import { auditedImage, auditedRequest, type ExplainedImage } from "./audited-image.ts";
import type { ReportEvent } from "./event.ts";

/** Who removes, and where. */
export interface AuditOrigin {
  readonly node: string;
  readonly command: AuditRecord["command"];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly pid: number;
}

interface Open {
  readonly intent: AuditRecordOf<"intent">;
  /** Names whose end is not known yet. */
  readonly waiting: Set<string>;
  /** True as long as every name that is done is gone. */
  allGone: boolean;
  /** True when a name went by our hand. */
  ours: boolean;
}

/** Keeps together what belongs to one removal. */
export class AuditTrail {
  readonly #origin: AuditOrigin;
  readonly #run: string;
  readonly #open = new Map<string, Open>();
  /** Intents to delete an image whose names did not all go by themselves: the round's end tells whether it went. */
  readonly #doubtful = new Map<string, AuditRecordOf<"intent">>();
  #runtime = "";
  #plan: Plan | undefined;
  #intents = 0;

  constructor(origin: AuditOrigin) {
    this.#origin = origin;
    this.#run = `${origin.now().toString(36)}-${origin.pid.toString(36)}`;
  }

  /** What is to be written before the first of an image's names is removed; undefined when none of them goes. */
  intend(verdict: ImageVerdict): AuditRecordOf<"intent"> | undefined {
    const names = verdict.names.filter(({ action }) => action === "untag").map(({ name }) => name);
    return this.#intend(auditedImage(verdict, this.#plan), names, verdict.action === "delete");
  }

  /** The same for what a person asked for: one record for each image that is touched. */
  intendRequested(removal: NodeRemoval, state: NodeState): readonly AuditRecordOf<"intent">[] {
    this.#runtime = state.runtime.kind;
    return auditedRequest(removal, state).flatMap(
      ({ image, names, deletes }) => this.#intend(image, names, deletes) ?? [],
    );
  }

  /** What is to be written about an event. */
  follow(event: ReportEvent): readonly AuditRecord[] {
    switch (event.kind) {
      case "planned":
        this.#plan = event.plan;
        this.#runtime = event.state.runtime.kind;
        return [];
      case "name-done":
        return this.#nameDone(event.outcome);
      case "reference-done":
        return this.#referenceDone(event.outcome);
      case "round-done": {
        this.#plan = undefined;
        return this.#roundDone(event.outcome, event.plan.plannedBytes);
      }
      case "references-done": {
        const { references, reclaimedBytes } = event.outcome;
        const plannedBytes = references.reduce((sum, reference) => sum + reference.plannedBytes, 0);
        return references.some(({ names }) => names.length > 0) ? [this.#freed(reclaimedBytes, plannedBytes)] : [];
      }
      default:
        return [];
    }
  }

  /** The line that stands for lines that could not be kept. */
  lost(lines: number): AuditRecordOf<"lost"> {
    return { event: "lost", ...this.where(), lines };
  }

  /** When and where a line is written. */
  where(): Where {
    const { node, command, now } = this.#origin;
    return { time: new Date(now()).toISOString(), node, runtime: this.#runtime, command };
  }

  #freed(bytes: number, plannedBytes: number): AuditRecordOf<"freed"> {
    return { event: "freed", ...this.where(), bytes, plannedBytes };
  }

  /** A runtime that removes whole images may take an image although one of its names had moved meanwhile. */
  #roundDone({ names, deleted, reclaimedBytes }: Outcome, plannedBytes: number): readonly AuditRecord[] {
    const late = deleted.flatMap((image) => this.#doubtful.get(keyOf(image)) ?? []);
    this.#doubtful.clear();
    const anything = names.some(({ result }) => result.kind === "removed");
    return [
      ...late.map((intent) => deletedLine(intent, this.where())),
      ...(anything ? [this.#freed(reclaimedBytes, plannedBytes)] : []),
    ];
  }

  #intend(
    { detail, ...image }: ExplainedImage,
    names: readonly string[],
    deletes: boolean,
  ): AuditRecordOf<"intent"> | undefined {
    if (names.length === 0) return undefined;
    this.#intents += 1;
    const id = `${this.#run}-${this.#intents}`;
    const { pid } = this.#origin;
    const intent = { event: "intent", ...this.where(), id, ...image, pid, detail, names, deletes } as const;
    this.#open.set(keyOf(image), { intent, waiting: new Set(names), allGone: true, ours: false });
    return intent;
  }

  #nameDone({ namespace, name, target, result }: NameOutcome): readonly AuditRecord[] {
    const open = this.#open.get(keyOf({ namespace, target }));
    return open === undefined ? [] : this.#close(open, name, result);
  }

  #close(open: Open, name: string, result: NameResult): readonly AuditRecord[] {
    if (!open.waiting.delete(name)) return [];
    const { intent } = open;
    const removed = result.kind === "removed";
    open.ours ||= removed;
    open.allGone &&= removed || result.kind === "already-gone";
    const line = nameLine(intent, name, result, this.where());
    if (open.waiting.size > 0) return [line];
    this.#open.delete(keyOf(intent));
    const gone = intent.deletes && open.allGone && open.ours;
    if (intent.deletes && !gone && open.ours) this.#doubtful.set(keyOf(intent), intent);
    return gone ? [line, deletedLine(intent, this.where())] : [line];
  }

  #referenceDone({ namespace, names, emptied, error }: ReferenceOutcome): readonly AuditRecord[] {
    const gone = new Set(names.map(({ name, target }) => `${name} ${target}`));
    const empty = new Set<string>(emptied.map(({ target }) => target));
    const touched = [...this.#open.values()].filter(({ intent }) => intent.namespace === namespace);
    return touched.flatMap((open) => {
      const { target } = open.intent;
      const elsewhere: NameResult = empty.has(target)
        ? { kind: "already-gone" }
        : { kind: "skipped", message: error?.message ?? "it was not reached" };
      return [...open.waiting].flatMap((name) =>
        this.#close(open, name, gone.has(`${name} ${target}`) ? { kind: "removed" } : elsewhere),
      );
    });
  }
}

function keyOf({ namespace, target }: { readonly namespace: string; readonly target: string }): string {
  return `${namespace} ${target}`;
}
