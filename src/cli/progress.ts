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

/** How a bar is drawn. */
export interface ProgressLook {
  /** Block characters instead of ASCII. Default false. */
  readonly unicode?: boolean;
  /** What the total is called. Default: bytes. */
  readonly total?: (total: number) => string;
}

const silent: Progress = { update: () => {}, clear: () => {} };
const barWidth = 24;
/** Milliseconds between two drawings. */
const pause = 100;

/** A bar on a terminal; nothing at all elsewhere. */
export function createProgress(terminal: Terminal, now: () => number, look: ProgressLook = {}): Progress {
  if (!terminal.isTTY) return silent;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total, note) {
      // As long as the total is not known there is nothing to show.
      if (total === 0 || now() - drawnAt < pause) return;
      drawnAt = now();
      drawn = true;
      const line = barText({ done, total, note }, look).slice(0, (terminal.columns ?? 80) - 1);
      terminal.write(`\r\u001b[K${line}`);
    },
    clear() {
      if (drawn) terminal.write("\r\u001b[K");
      drawn = false;
    },
  };
}

interface State {
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

function barText(
  { done, total, note }: State,
  { unicode = false, total: totalText = formatBytes }: ProgressLook,
): string {
  const share = Math.min(1, done / total);
  const filled = Math.floor(share * barWidth);
  const [full, empty] = unicode ? ["█", "░"] : ["#", "."];
  const bar = full.repeat(filled).padEnd(barWidth, empty);
  return `[${bar}] ${Math.floor(share * 100)} % of ${totalText(total)}${note}`;
}
