// From the configuration's policy to the one that decisions are made by; durations and moments.
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadConfig } from "../../src/config/load.ts";
import { toPolicy } from "../../src/config/policy.ts";
import type { Config } from "../../src/config/schema.ts";
import { parseDuration } from "../../src/config/units.ts";
import { parseUntil } from "../../src/config/until.ts";

const now = Date.UTC(2026, 5, 15, 12);
const defaults = loadConfig({ file: undefined, env: {}, flags: {} });
const withPolicy = (policy: Partial<Config["policy"]>) => ({ ...defaults, policy: { ...defaults.policy, ...policy } });

describe("durations", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["250ms", 250],
    ["90s", 90_000],
    ["10m", 600_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["0.5ms", 1],
  ])("%s is %d milliseconds", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    "",
    "10",
    "-10m",
    "10 m",
    "m",
    "1h 30m",
    "10M",
    "1y",
    "1e3s",
    ".5h",
    "1.h",
    "NaNs",
    "99999999999999999999w",
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("moments of an until filter", () => {
  it.each([
    ["24h", now - 86_400_000],
    ["1h30m", now - 5_400_000],
    ["0", 0],
    ["1136073845", 1_136_073_845_000],
    ["1136073845.5", 1_136_073_845_500],
    ["1136073845.000000001", 1_136_073_845_000],
    ["-1", -1_000],
    ["2006-01-02Z", Date.UTC(2006, 0, 2)],
    ["2006-01-02T15Z", Date.UTC(2006, 0, 2, 15)],
    ["2006-01-02T15:04Z", Date.UTC(2006, 0, 2, 15, 4)],
    ["2006-01-02T15:04:05Z", Date.UTC(2006, 0, 2, 15, 4, 5)],
    ["2006-01-02T15:04:05.123456789Z", Date.UTC(2006, 0, 2, 15, 4, 5, 123)],
    ["2006-01-02T15:04:05+02:00", Date.UTC(2006, 0, 2, 13, 4, 5)],
    ["2006-01-02", new Date(2006, 0, 2).getTime()],
    ["2006-01-02T15", new Date(2006, 0, 2, 15).getTime()],
    ["2006-01-02T15:04:05", new Date(2006, 0, 2, 15, 4, 5).getTime()],
    ["2024-02-29Z", Date.UTC(2024, 1, 29)],
  ])("%s", (text, moment) => {
    expect(parseUntil(text, now)).toBe(moment);
  });

  it.each([
    "",
    "yesterday",
    "2006-13-01",
    "2006-02-30",
    "2006-02-29",
    "2006-01-02T25",
    "2006-01-02T24:00",
    "2006-01-02 15:04",
    "1.2.3",
    "24".concat("hours"),
  ])("%j is none", (text) => {
    expect(parseUntil(text, now)).toBeUndefined();
  });
});

describe("a policy", () => {
  it("takes the ages and reads patterns and filters", () => {
    const policy = toPolicy(
      withPolicy({ keep: ["nginx:*"], filters: ["until=24h", "until=2026-01-01Z", "label=a", "label!=b=1"] }),
      now,
    );

    expect(policy).toMatchObject({
      semantics: "strict",
      danglingOnly: false,
      unusedFor: 86_400_000,
      minAge: 600_000,
      keep: [{ text: "nginx:*" }],
      until: [now - 86_400_000, Date.UTC(2026, 0, 1)],
      labels: [
        { key: "a", negated: false },
        { key: "b", value: "1", negated: true },
      ],
    });
  });

  it("takes the rules on what may go, and the limits on how much", () => {
    const { policy } = loadConfig({
      file: undefined,
      env: { PRUNELET_POLICY_KEEP_PER_REPOSITORY: "3", PRUNELET_POLICY_POD_NAMESPACES_EXCEPT: "prod,team-*" },
      flags: { policy: { danglingFor: "1h", remove: ["ci/**"], maxImageBytes: "20Gi" } },
    });

    expect(
      toPolicy({ policy, safety: { maxRemovalsPerRun: 5, maxRemovalFraction: 0.5, pause: 0 } }, now),
    ).toMatchObject({
      danglingFor: 3_600_000,
      keepPerRepository: 3,
      remove: [{ text: "ci/**" }],
      podNamespaces: { only: [], except: ["prod", "team-*"] },
      maxImageBytes: 20 * 2 ** 30,
      order: "least-recently-used",
      brakes: { maxRemovals: 5, maxFraction: 0.5 },
    });
  });

  it.each([
    [{ maxImageBytes: "20 apples" }, /policy\.maxImageBytes is "20 apples": expected a size such as/],
    [{ maxImageBytes: 0 }, /policy\.maxImageBytes/],
    [{ keepPerRepository: -1 }, /policy\.keepPerRepository/],
    [{ keepPerRepository: 1.5 }, /policy\.keepPerRepository/],
    [{ remove: ["label:"] }, /policy\.remove\.0 is wrong: pattern label: names no label/],
    [{ podNamespaces: { only: ["a b"] } }, /policy\.podNamespaces\.only\.0 is "a b": expected a namespace/],
    [{ order: "random" }, /policy\.order.*least-recently-used/],
  ])("refuses %j with the path of what is wrong", (policy, problem) => {
    expect(() => loadConfig({ file: undefined, env: {}, flags: { policy } })).toThrow(problem);
  });

  it.each([
    ["dangling=true", true],
    ["dangling=1", true],
    ["dangling=false", false],
    ["dangling=0", false],
  ])("takes the filter %s before the key danglingOnly", (filter, expected) => {
    expect(toPolicy(withPolicy({ danglingOnly: !expected, filters: [filter] }), now).danglingOnly).toBe(expected);
  });

  it.each([
    ["until=soon", /names no moment/],
    ["until=", /names no moment/],
    ["label=", /names no label/],
    ["label!=", /names no label/],
    ["label!", /unknown filter/],
    ["dangling=maybe", /neither true nor false/],
    ["before=x", /unknown filter "before"/],
    ["", /unknown filter/],
    ["constructor=x", /unknown filter/],
    ["dangling=constructor", /neither true nor false/],
  ])("refuses the filter %j", (filter, problem) => {
    expect(() => toPolicy(withPolicy({ filters: [filter] }), now)).toThrow(problem);
  });

  it("refuses dangling given both ways", () => {
    expect(() => toPolicy(withPolicy({ filters: ["dangling=true", "dangling=0"] }), now)).toThrow(/both/);
  });

  it("lists every wrong pattern and filter at once", () => {
    const work = () => toPolicy(withPolicy({ keep: ["", "/(/", "ok"], filters: ["until=x", "foo=1"] }), now);

    expect(work).toThrow(ConfigError);
    expect(work).toThrow(expect.objectContaining({ problems: expect.objectContaining({ length: 4 }) }));
  });
});
