// A progress bar on stderr, for a person at a terminal.
import { formatBytes } from "../report/bytes.ts";

export interface Progress {
  /** Draws the bar anew; more often than a few times a second it does nothing. */
  update(done: number, total: number, note: string): void;
  /** Takes the bar away. */
  clear(): void;
}

/** Where a bar is drawn. */
export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const silent: Progress = { update: () => {}, clear: () => {} };
const barWidth = 24;
/** Milliseconds between two drawings. */
const pause = 100;

/** A bar on a terminal; nothing at all elsewhere. */
export function createProgress(terminal: Terminal, now: () => number): Progress {
  if (!terminal.isTTY) return silent;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total, note) {
      if (now() - drawnAt < pause) return;
      drawnAt = now();
      drawn = true;
      const line = barText(done, total, note).slice(0, (terminal.columns ?? 80) - 1);
      terminal.write(`\r\u001b[K${line}`);
    },
    clear() {
      if (drawn) terminal.write("\r\u001b[K");
      drawn = false;
    },
  };
}

function barText(done: number, total: number, note: string): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.floor(share * barWidth);
  const bar = "#".repeat(filled).padEnd(barWidth, ".");
  return `[${bar}] ${Math.floor(share * 100)} % of ${formatBytes(total)}${note}`;
}
