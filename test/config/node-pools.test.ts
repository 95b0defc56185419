// Node pools: which one a node belongs to, and whose values hold then.
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { Layer } from "../../src/config/layers.ts";
import { resolveConfig } from "../../src/config/load.ts";

const pools = [
  { name: "gpu", match: { accelerator: "*" }, policy: { unusedFor: "30d" }, interval: "1h" },
  { name: "ci", match: { role: ["ci", "build"], zone: "a" }, policy: { keep: ["base"] }, act: { concurrency: 8 } },
  { name: "spot", match: { role: "ci" }, enabled: false },
];

function layers(file: Record<string, unknown> = {}, more: readonly Layer[] = []): readonly Layer[] {
  return [{ origin: "default", tree: {} }, { origin: "file", tree: { nodePools: pools, ...file } }, ...more];
}

function poolOf(labels: Record<string, string>): string | undefined {
  return resolveConfig(layers(), labels, undefined).pool;
}

function problemsOf(tree: Record<string, unknown>): readonly string[] {
  try {
    resolveConfig([{ origin: "file", tree }], {}, undefined);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("a node belongs to", () => {
  it.each([
    ["no pool without labels", {}, undefined],
    ["a pool that asks for any value", { accelerator: "h100" }, "gpu"],
    ["a pool that lists its value, when all keys match", { role: "build", zone: "a" }, "ci"],
    ["the first of several pools that match", { role: "ci", zone: "a", accelerator: "x" }, "gpu"],
    ["a later pool when an earlier one lacks a key", { role: "ci", zone: "b" }, "spot"],
    ["no pool when the value is another", { role: "web" }, undefined],
    ["no pool by names that every object has", { constructor: "x" }, undefined],
  ])("%s", (_, labels, expected) => {
    expect(poolOf(labels as Record<string, string>)).toBe(expected);
  });

  it("a pool that asks for nothing, wherever no pool before it matches", () => {
    const all = [...pools, { name: "rest", match: {} }];

    expect(resolveConfig(layers({ nodePools: all }), { any: "label" }, undefined).pool).toBe("rest");
  });
});

describe("the settings of a pool", () => {
  it("stand above the file and below environment and flags", () => {
    const from = layers({ policy: { unusedFor: "1h", minAge: "2h" }, interval: "5m" }, [
      { origin: "environment", tree: { interval: "7m" } },
      { origin: "flag", tree: {} },
    ]);

    const { config, settings } = resolveConfig(from, { accelerator: "x" }, undefined);

    expect(config.policy).toMatchObject({ unusedFor: 30 * 86_400_000, minAge: 7_200_000 });
    expect(config.interval).toBe(420_000);
    const origin = Object.fromEntries(settings.map((setting) => [setting.path.join("."), setting.origin]));
    expect(origin).toMatchObject({
      "policy.unusedFor": "node pool gpu",
      "policy.minAge": "file",
      interval: "environment",
      jitter: "default",
      nodePools: "file",
    });
  });

  it("replace lists, and leave alone what they do not name", () => {
    const from = layers({ policy: { keep: ["one", "two"], unusedFor: "1h" } });

    const { config } = resolveConfig(from, { role: "build", zone: "a" }, undefined);

    expect(config.policy).toMatchObject({ keep: ["base"], unusedFor: 3_600_000 });
    expect(config.act).toEqual({ concurrency: 8, callTimeout: 30_000 });
  });

  it("leave alone what they do not name inside a section, too", () => {
    const from = layers({
      policy: { podNamespaces: { only: ["ci"], except: ["prod"] } },
      safety: { maxRemovalsPerRun: 5, maxRemovalFraction: "10%" },
      nodePools: [
        { name: "big", match: {}, policy: { podNamespaces: { only: [] } }, safety: { maxRemovalsPerRun: 50 } },
      ],
    });

    const { config } = resolveConfig(from, {}, undefined);

    expect(config.policy.podNamespaces).toEqual({ only: [], except: ["prod"] });
    expect(config.safety).toEqual({ maxRemovalsPerRun: 50, maxRemovalFraction: 0.1, pause: 0 });
  });

  it("may switch nodes on where all others are off", () => {
    const from = layers({ enabled: false, nodePools: [{ name: "trial", match: { trial: "yes" }, enabled: true }] });

    const [trial, other] = [{ trial: "yes" }, {}].map((labels) => resolveConfig(from, labels as never, undefined));

    expect([trial?.config.enabled, other?.config.enabled]).toEqual([true, false]);
  });

  it("are refused with their path when they are wrong, although no node has them", () => {
    const problems = problemsOf({
      nodePools: [
        { name: "a", match: { gpu: true }, interval: "soon" },
        { name: "a", match: {}, policy: { keep: ["/(/"], unusedfor: "1h" }, runtime: "docker" },
        { match: {} },
      ],
    });

    expect(problems).toEqual([
      expect.stringMatching(/^nodePools\.0\.match\.gpu is true: expected a label value.*quotes/),
      expect.stringMatching(/^nodePools\.0\.interval is "soon": expected a duration/),
      expect.stringMatching(/^nodePools\.1\.policy\.keep\.0 is wrong: pattern/),
      expect.stringMatching(/^unknown key nodePools\.1\.policy\.unusedfor/),
      expect.stringMatching(/^unknown key nodePools\.1\.runtime/),
      expect.stringMatching(/^nodePools\.2\.name is missing: expected text/),
    ]);
  });

  it("need a name of their own", () => {
    const problems = problemsOf({ nodePools: [pools[2], pools[2]] });

    expect(problems).toEqual([expect.stringMatching(/^nodePools\.1\.name is "spot", as that of another pool/)]);
  });

  it("is refused when it does not fit the other settings, before any node belongs to it", () => {
    const pools = [{ name: "gpu", match: { gpu: "*" }, pressure: { low: "85%" } }];

    const resolve = () => resolveConfig(layers({ nodePools: pools }), {}, "prunelet.yaml");

    expect(resolve).toThrow(/prunelet\.yaml: pressure\..*\(with the settings of node pool gpu\)/);
  });
});
