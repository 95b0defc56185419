// Windows of time by cron expression, duration and time zone.
import { describe, expect, it } from "vitest";
import { cronProblem, isTimeZone, windowsAt } from "../../src/config/windows.ts";

const hour = 3_600_000;
const nightly = { cron: "0 2 * * *", duration: hour, timeZone: "Europe/Berlin" };

function at(text: string, windows = [nightly]) {
  const { open, opensAt } = windowsAt(windows, Date.parse(text));
  return [open, opensAt === undefined ? undefined : new Date(opensAt).toISOString().slice(0, 16)];
}

describe("a window", () => {
  it.each([
    ["a moment before it", "2026-03-27T00:59:59Z", false, "2026-03-27T01:00"],
    ["at its beginning", "2026-03-27T01:00:00Z", true, "2026-03-28T01:00"],
    ["half a second later", "2026-03-27T01:00:00.500Z", true, "2026-03-28T01:00"],
    ["a moment before its end", "2026-03-27T01:59:59Z", true, "2026-03-28T01:00"],
    ["at its end", "2026-03-27T02:00:00Z", false, "2026-03-28T01:00"],
    ["in summer, an hour earlier by UTC", "2026-07-01T00:30:00Z", true, "2026-07-02T00:00"],
    ["in the night that has no two o'clock, at three", "2026-03-29T01:30:00Z", true, "2026-03-30T00:00"],
  ])("is open or not %s", (_, moment, open, next) => {
    expect(at(moment)).toEqual([open, next]);
  });

  it("stays open across midnight", () => {
    const late = { cron: "0 23 * * 6", duration: 4 * hour, timeZone: "UTC" };

    expect(at("2026-03-29T02:59:00Z", [late])[0]).toBe(true);
    expect(at("2026-03-29T03:00:00Z", [late])[0]).toBe(false);
  });

  it("may be one of several: any open one will do, the next opening is the first of all", () => {
    const noon = { cron: "0 12 * * *", duration: hour, timeZone: "UTC" };

    expect(at("2026-03-27T12:30:00Z", [nightly, noon])).toEqual([true, "2026-03-28T01:00"]);
    expect(at("2026-03-27T10:00:00Z", [nightly, noon])).toEqual([false, "2026-03-27T12:00"]);
  });

  it("is always open when there is none", () => {
    expect(windowsAt([], 0)).toEqual({ open: true, opensAt: undefined });
  });
});

describe("what is no window", () => {
  it.each([
    ["61 * * * *", /61/],
    ["nonsense", /five fields/],
    ["* * * * * *", /five fields/],
    ["0 2 31 2 *", /never comes/],
  ])("a cron expression %s", (expression, problem) => {
    expect(cronProblem(expression)).toMatch(problem);
  });

  it.each(["0 2 * * 6", "*/10 1-5 * * MON-FRI", "@daily"])("not so %s", (expression) => {
    expect(cronProblem(expression)).toBeUndefined();
  });

  it("a time zone that nobody knows", () => {
    expect([isTimeZone("Mars/Olympus"), isTimeZone("Europe/Berlin"), isTimeZone("UTC")]).toEqual([false, true, true]);
  });
});
