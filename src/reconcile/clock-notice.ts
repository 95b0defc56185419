// What a leap of the clock, or a long time without a look, means: said once, in one line.
import { describeDuration } from "../decide/duration.ts";

/** Milliseconds that clocks are set back in everyday life. */
const everyday = 2_000;

/** A line when the time between two looks is not what it should be; undefined when it is. `maxGap` as for a plan. */
export function clockNotice(lastLook: number | undefined, now: number, maxGap: number | undefined): string | undefined {
  if (lastLook === undefined) return undefined;
  const passed = now - lastLook;
  if (passed < -everyday) {
    return `the clock went back by ${describeDuration(-passed)}: ages count from the last uses that were seen, so images may stay longer`;
  }
  if (maxGap === undefined || passed <= maxGap) return undefined;
  return `nobody looked at this node for ${describeDuration(passed)}, or the clock jumped: that time does not count as unused`;
}
