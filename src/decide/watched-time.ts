// Time that counts: stretches in which nobody looked, and jumps of the clock, make nothing older and nothing idle. Pure.
import type { Instant } from "../image/node-state.ts";
import type { Gap, History } from "./history.ts";

/**
 * The history as it serves a look at `now`. When more than `maxGap` milliseconds have passed since the last look, the time
 * between the two is a gap: the agent was down, or the clock jumped forward. When the clock jumped back, what lies in the
 * future is cut off. The same history when nothing of that happened.
 */
export function atLook(history: History, now: Instant, maxGap: number | undefined): History {
  const { lastLook, gaps = [] } = history;
  if (lastLook === undefined) return history;
  if (now < lastLook) return { ...history, lastLook: now, gaps: cutAt(gaps, now) };
  if (maxGap === undefined || now - lastLook <= maxGap) return history;
  return { ...history, lastLook: now, gaps: limited([...gaps, { from: lastLook, to: now }]) };
}

/** Milliseconds from `since` to `now` without the gaps between. Never below 0: a moment in the future counts as now. */
export function watchedTime(since: Instant, now: Instant, gaps: readonly Gap[] = []): number {
  let time = Math.max(0, now - since);
  for (const { from, to } of gaps) time -= Math.max(0, Math.min(to, now) - Math.max(from, since));
  return Math.max(0, time);
}

function cutAt(gaps: readonly Gap[], now: Instant): readonly Gap[] {
  return gaps.flatMap(({ from, to }) => (from >= now ? [] : [{ from, to: Math.min(to, now) }]));
}

const mostGaps = 64;

/** The two oldest gaps become one where there are too many: that makes things younger, never older. */
function limited(gaps: readonly Gap[]): readonly Gap[] {
  const [first, second, ...others] = gaps;
  if (gaps.length <= mostGaps || first === undefined || second === undefined) return gaps;
  return [{ from: first.from, to: second.to }, ...others];
}
