// The audit: an intent is on disk before an image is touched, its outcome follows, and what a crash left open is settled later.
import type { ImageVerdict } from "../decide/plan.ts";
import type { NodeRemoval } from "../decide/removal-on-node.ts";
import type { NodeState } from "../image/node-state.ts";
import type { Clock } from "../observe/clock.ts";
import { AuditFile, type AuditFileSettings } from "./audit-file.ts";
import { readAudit } from "./audit-read.ts";
import type { AuditRecord } from "./audit-record.ts";
import { type OpenIntent, OpenIntents, resolveIntent } from "./audit-resolve.ts";
import { type AuditOrigin, AuditTrail } from "./audit-trail.ts";
import type { ReportEvent, ReportSink } from "./event.ts";

export interface AuditInput {
  readonly origin: Omit<AuditOrigin, "now">;
  readonly clock: Clock;
  /** May change while the program runs. */
  readonly settings: () => AuditFileSettings;
  readonly report: ReportSink;
  /** True when the process of this number still runs: then its intents are its own affair. */
  readonly isAlive: (pid: number) => boolean;
}

export interface Audit {
  /** Writes what became of what was planned. */
  readonly sink: ReportSink;
  /** Resolves when the intents to remove names of these images are on disk, or cannot be now. Never rejects. */
  readonly announce: (verdicts: readonly ImageVerdict[]) => Promise<void>;
  /** The same for what a person asked for. */
  readonly beforeRequest: (removal: NodeRemoval, state: NodeState) => Promise<void>;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** Milliseconds that a removal waits for its intent: a disk that hangs must not stop what may help it. */
const patience = 5_000;
/** Milliseconds that the outcome of a removal may wait for others to be written with. */
const noteWithin = 250;
/** Files in which open intents are looked for: one that was just put aside may hold the last ones. */
const recentFiles = 2;

/** Opens the audit. Touches no file before there is something to write or to settle. */
export function openAudit(input: AuditInput): Audit {
  const recorder = new Recorder(input);
  return {
    sink: (event) => recorder.follow(event),
    announce: (verdicts) => recorder.announce(verdicts),
    beforeRequest: (removal, state) => recorder.beforeRequest(removal, state),
    close: () => recorder.close(),
  };
}

class Recorder {
  readonly #input: AuditInput;
  readonly #trail: AuditTrail;
  readonly #file: AuditFile;
  readonly #closing = new AbortController();
  #settled: Promise<void> | undefined;
  /** True while noted lines wait for their time. */
  #noting = false;

  constructor(input: AuditInput) {
    const { origin, clock, settings, report } = input;
    this.#input = input;
    this.#trail = new AuditTrail({ ...origin, now: clock.now });
    this.#file = new AuditFile({
      settings,
      lostLine: (lines) => JSON.stringify(this.#trail.lost(lines)),
      onTrouble: (trouble) =>
        trouble.kind === "failed"
          ? report({ ...trouble, kind: "audit-failed" })
          : report({ kind: "audit-mended", lost: trouble.lost }),
    });
  }

  follow(event: ReportEvent): void {
    const records = this.#trail.follow(event);
    if (event.kind === "planned") void this.#settle(event.state);
    if (records.length > 0) void this.#note(records);
  }

  async announce(verdicts: readonly ImageVerdict[]): Promise<void> {
    const intents = verdicts.flatMap((verdict) => this.#trail.intend(verdict) ?? []);
    if (intents.length > 0) await this.#inTime(this.#append(intents));
  }

  async beforeRequest(removal: NodeRemoval, state: NodeState): Promise<void> {
    void this.#settle(state);
    const intents = this.#trail.intendRequested(removal, state);
    if (intents.length > 0) await this.#inTime(this.#append(intents));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#inTime(this.#append([]));
  }

  /** What has happened already is written with what comes next, or shortly after: a sync for every name would cost more than its removal. */
  async #note(records: readonly AuditRecord[]): Promise<void> {
    await this.#settled;
    this.#file.note(records.map((record) => JSON.stringify(record)));
    if (this.#noting) return;
    this.#noting = true;
    await this.#input.clock.sleep(noteWithin, this.#closing.signal);
    this.#noting = false;
    await this.#file.flush();
  }

  /** What is known from before has to be settled first: our own intents must not be taken for it. */
  async #append(records: readonly AuditRecord[]): Promise<void> {
    await this.#settled;
    await this.#file.append(records.map((record) => JSON.stringify(record)));
  }

  async #inTime(work: Promise<void>): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, this.#input.clock.sleep(patience, done.signal)]);
    done.abort();
  }

  /** Once, as soon as the node is seen: closes intents that no outcome followed. */
  #settle(state: NodeState): Promise<void> {
    this.#settled ??= this.#settleNow(state).catch(() => undefined);
    return this.#settled;
  }

  async #settleNow(state: NodeState): Promise<void> {
    const { file } = this.#input.settings();
    if (file === "") return;
    const open = new OpenIntents();
    await readAudit(file, { files: recentFiles, onRecord: (record) => open.add(record) });
    const lines = open
      .list()
      .filter((one) => this.#isOver(one))
      .flatMap((one) => resolveIntent(one, state, this.#trail.where()));
    if (lines.length === 0) return;
    await this.#file.append(lines.map((line) => JSON.stringify(line)));
    const names = lines.filter(({ event }) => event !== "deleted").length;
    const gone = lines.filter(({ event }) => event === "untagged").length;
    this.#input.report({ kind: "audit-resolved", names, gone });
  }

  #isOver({ intent: { pid } }: OpenIntent): boolean {
    return pid === this.#input.origin.pid || !this.#input.isAlive(pid);
  }
}
