// Keeps the state file up to date with few writes: at once when something changed, then not again for some minutes, and at the end.
import type { History, NamespaceHistory, Sighting } from "../decide/history.ts";
import type { Clock } from "./clock.ts";

export interface HistoryKeeperInput {
  readonly clock: Clock;
  /** Writes the state file. Throws when that fails. */
  readonly write: (history: History) => void;
  /** Called with every error of `write`; `again` is true while the attempt before has failed, too. */
  readonly onFailure: (error: unknown, again: boolean) => void;
  /** Called when the file was written after a failure. */
  readonly onMended: () => void;
  /** What the file holds now; undefined when that is not known. */
  readonly written?: History;
}

/** Milliseconds between two writes, at least: at most twelve in an hour, and one at the end. */
export const writePause = 5 * 60_000;
/** Milliseconds after which it is written although nothing changed but the time: so much of a last use a crash may cost. */
export const longestSilence = 60 * 60_000;

/** Decides when to write. */
export class HistoryKeeper {
  readonly #input: HistoryKeeperInput;
  readonly #stop = new AbortController();
  #written: History | undefined;
  #latest: History | undefined;
  #resting = false;
  #failing = false;

  constructor(input: HistoryKeeperInput) {
    this.#input = input;
    this.#written = input.written;
  }

  /** Takes what is to be remembered. Writes now, later or never, as the changes are worth it. */
  remember(history: History): void {
    this.#latest = history;
    if (!this.#resting && this.#isWorthIt()) this.#write();
  }

  /** Writes what is not written yet, however little it is. */
  close(): void {
    this.#stop.abort();
    if (this.#latest !== undefined && this.#latest !== this.#written) this.#write();
  }

  #isWorthIt(): boolean {
    if (this.#latest === undefined) return false;
    if (this.#written === undefined) return true;
    const silence = Math.abs((this.#latest.lastLook ?? 0) - (this.#written.lastLook ?? 0));
    return silence >= longestSilence || changed(this.#written, this.#latest);
  }

  #write(): void {
    const history = this.#latest as History;
    const { write, onFailure, onMended } = this.#input;
    try {
      write(history);
      this.#written = history;
      if (this.#failing) onMended();
      this.#failing = false;
    } catch (error) {
      onFailure(error, this.#failing);
      this.#failing = true;
    }
    if (!this.#stop.signal.aborted) void this.#rest();
  }

  /** A failed write is an attempt as well: a full disk is not tried in every round. */
  async #rest(): Promise<void> {
    this.#resting = true;
    await this.#input.clock.sleep(writePause, this.#stop.signal);
    this.#resting = false;
    if (!this.#stop.signal.aborted && this.#isWorthIt()) this.#write();
  }
}

/** True when more changed than that time went on for what is in use. */
function changed(before: History, after: History): boolean {
  if (before === after) return false;
  if (before.namespaces.size !== after.namespaces.size) return true;
  if (JSON.stringify(before.gaps ?? []) !== JSON.stringify(after.gaps ?? [])) return true;
  return [...after.namespaces].some(([name, namespace]) => namespaceChanged(before.namespaces.get(name), namespace));
}

function namespaceChanged(before: NamespaceHistory | undefined, after: NamespaceHistory): boolean {
  if (before === undefined) return true;
  return anyChanged(before.images, after.images) || anyChanged(before.names, after.names);
}

function anyChanged<Key>(before: ReadonlyMap<Key, Sighting>, after: ReadonlyMap<Key, Sighting>): boolean {
  if (before.size !== after.size) return true;
  for (const [key, now] of after) {
    const then = before.get(key);
    if (then !== now && (then === undefined || sightingChanged(then, now))) return true;
  }
  return false;
}

function sightingChanged(before: Sighting, after: Sighting): boolean {
  if (before.inUse !== after.inUse || before.timesUsed !== after.timesUsed) return true;
  if (before.firstSeen !== after.firstSeen || before.usedBy.join() !== after.usedBy.join()) return true;
  return !after.inUse && before.lastUsed !== after.lastUsed;
}
