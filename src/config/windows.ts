// Windows of time in which routine rounds may remove: a cron expression says when one opens, a duration how long it stays open.
import { Cron } from "croner";

/** A window as it is configured; the duration in milliseconds. */
export interface Window {
  readonly cron: string;
  readonly duration: number;
  /** An IANA name. The expression and so daylight saving time follow it. */
  readonly timeZone: string;
}

/** Whether a window is open at a moment, and when the next one opens. Without windows it is always open. */
export interface WindowState {
  readonly open: boolean;
  /** Milliseconds since the epoch; undefined when none opens any more, or when there are no windows. */
  readonly opensAt: number | undefined;
}

/** What is wrong with a cron expression; undefined when nothing is. */
export function cronProblem(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5 && !expression.startsWith("@")) return "expected five fields: minute, hour, day, month, day of week";
  try {
    return new Cron(expression, { paused: true }).nextRun() === null ? "such a day never comes" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
  }
}

/** True for a time zone that this system knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The state of the windows at `now`. */
export function windowsAt(windows: readonly Window[], now: number): WindowState {
  if (windows.length === 0) return { open: true, opensAt: undefined };
  const next = windows.flatMap((window) => nextOpening(window, now) ?? []);
  return {
    open: windows.some((window) => isOpen(window, now)),
    opensAt: next.length === 0 ? undefined : Math.min(...next),
  };
}

/** Open when the first opening after `now - duration` has come. */
function isOpen(window: Window, now: number): boolean {
  const opened = nextOpening(window, now - window.duration);
  return opened !== undefined && opened <= now;
}

function nextOpening({ cron, timeZone }: Window, after: number): number | undefined {
  // The library answers with whole seconds and takes the reference's own second for past.
  return new Cron(cron, { timezone: timeZone, paused: true }).nextRun(new Date(after))?.getTime();
}
