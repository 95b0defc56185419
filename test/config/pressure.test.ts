// The settings for a full disk, for windows and for what begins rounds: what is accepted, and what is said of the rest.
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { parseWatermark } from "../../src/config/units.ts";

function problems(tree: unknown): string[] {
  const result = configSchema.safeParse(tree);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
}

describe("a watermark", () => {
  it.each([
    ["80%", { kind: "used-share", share: 0.8 }],
    ["92.5%", { kind: "used-share", share: 0.925 }],
    ["20Gi free", { kind: "free-amount", amount: 20 * 2 ** 30 }],
    ["20Gi", { kind: "free-amount", amount: 20 * 2 ** 30 }],
    ["100k free", { kind: "free-amount", amount: 100_000 }],
    ["101%", undefined],
    ["20Gi used", undefined],
    ["plenty", undefined],
  ])("%s", (text, expected) => {
    expect(parseWatermark(text)).toEqual(expected);
  });
});

describe("pressure", () => {
  it("is on, and acts before a kubelet with default settings does", () => {
    const { pressure } = configSchema.parse({});

    expect(pressure).toMatchObject({
      enabled: true,
      high: { share: 0.8 },
      low: { share: 0.7 },
      emergency: { share: 0.92 },
      inodes: { high: { share: 0.85 }, low: { share: 0.75 }, emergency: { share: 0.95 } },
      check: 30_000,
    });
  });

  it.each([
    [{ high: "60%" }, "pressure.low is not below the high mark: give it less use, or more that is free"],
    [{ low: "80%" }, "pressure.low is not below the high mark: give it less use, or more that is free"],
    [{ high: "95%" }, "pressure.emergency is not above the high mark: give it more use, or less that is free"],
    [
      { high: "20Gi free", low: "10Gi free" },
      "pressure.low is not below the high mark: give it less use, or more that is free",
    ],
    [
      { inodes: { low: "90%" } },
      "pressure.inodes.low is not below the high mark: give it less use, or more that is free",
    ],
    [
      { high: "lots" },
      'pressure.high is "lots": expected a share in use such as 80%, or an amount that is free such as 20Gi free',
    ],
    [{ path: "images" }, 'pressure.path is "images": expected an absolute path'],
    [{ check: "0s" }, 'pressure.check is "0s": expected a duration such as 90s, 10m, 24h, 7d or 1h30m, at least 1s'],
  ])("refuses %j in one line", (pressure, problem) => {
    expect(problems({ pressure })).toEqual([problem]);
  });

  it.each([
    { high: "20Gi free", low: "30Gi free", emergency: "5Gi free" },
    { high: "20Gi free" },
    { high: 0.75 },
    { inodes: { high: "100k free", low: "200k free", emergency: "50k free" } },
  ])("accepts %j", (pressure) => {
    expect(problems({ pressure })).toEqual([]);
  });

  it("may differ in a node pool, and is checked there as a whole", () => {
    const pool = { name: "gpu", match: {}, pressure: { high: "60%", low: "50%" }, windows: [] };

    expect(problems({ nodePools: [pool] })).toEqual([]);
    expect(problems({ nodePools: [{ ...pool, pressure: { high: "much" } }] })).toHaveLength(1);
  });
});

describe("windows", () => {
  it("are refused with every problem", () => {
    const windows = [
      { cron: "0 2 * * *", duration: "4h", timeZone: "Mars/Olympus" },
      { cron: "61 2 * * *", duration: "10" },
    ];

    expect(problems({ windows })).toEqual([
      'windows.0.timeZone is "Mars/Olympus": expected a time zone such as Europe/Berlin',
      expect.stringMatching(/^windows\.1\.cron is "61 2 \* \* \*": .*61/),
      expect.stringMatching(/^windows\.1\.duration is "10"/),
    ]);
  });

  it("are in UTC unless they say otherwise", () => {
    expect(configSchema.parse({ windows: [{ cron: "0 2 * * *", duration: "4h" }] }).windows).toEqual([
      { cron: "0 2 * * *", duration: 14_400_000, timeZone: "UTC" },
    ]);
  });
});
