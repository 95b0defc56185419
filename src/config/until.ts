// The moments that `--filter until=...` accepts, with the grammar of Docker's prune filters.
import { parseDuration } from "./units.ts";

/** What an `until` value may look like, for error messages. */
export const untilForm = "a duration back from now (24h), a date (2026-01-31, 2026-01-31T15:04:05Z) or Unix seconds";

/**
 * The moment that `text` names, in milliseconds since the epoch, or undefined. A duration counts back from `now`; a bare
 * number, `0` included, is Unix seconds; a date without a zone is local time.
 */
export function parseUntil(text: string, now: number): number | undefined {
  if (/^-?\d+(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  return parseDate(text);
}

const date = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?)?)?(Z|[+-]\d{2}:\d{2})?$/;

function parseDate(text: string): number | undefined {
  const match = date.exec(text);
  if (match === null) return undefined;
  const [, day, hour = "00", minute = "00", second = "00", zone = ""] = match;
  if (!isCalendarDay(day as string) || Number(hour) > 23) return undefined;
  const time = Date.parse(`${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(time) ? undefined : time;
}

/** False for 2026-02-30, which `Date.parse` would take for a day in March. */
function isCalendarDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
