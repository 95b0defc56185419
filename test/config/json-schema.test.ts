// The schema for other programs (editors, the chart) says the same as the checks of the agent itself.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configJsonSchema, configSchema } from "../../src/config/schema.ts";
import { environmentName, settings } from "../../src/config/settings.ts";

const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(configJsonSchema());

function both(tree: unknown): readonly boolean[] {
  return [validate(tree), configSchema.safeParse(tree).success];
}

describe("the JSON schema and the agent", () => {
  it.each([
    ["nothing at all", {}],
    ["zeros without quotes", { policy: { unusedFor: 0, minAge: 0 }, startJitter: 0 }],
    ["shares in both forms", { jitter: "10%", nodePools: [{ name: "a", match: {}, jitter: 0.5 }] }],
    [
      "a pool with every key",
      {
        nodePools: [
          {
            name: "a",
            match: { x: "1", y: ["2", "3"], z: "*" },
            enabled: false,
            interval: "1m",
            jitter: 0,
            policy: { unusedFor: "1h", minAge: "1h", danglingOnly: true, keep: ["a"], filters: ["label=b"] },
            act: { concurrency: 1, callTimeout: "5s" },
          },
        ],
      },
    ],
  ])("both accept %s", (_, tree) => {
    expect(both(tree)).toEqual([true, true]);
  });

  it.each([
    ["an unknown key", { polcy: {} }],
    ["an unknown key in a pool", { nodePools: [{ name: "a", match: {}, policy: { unusedfor: "1h" } }] }],
    ["a duration without a unit", { interval: "10" }],
    ["a duration that is a number", { policy: { unusedFor: 24 } }],
    ["a share above 1", { jitter: 2 }],
    ["a share above 100 %", { jitter: "101%" }],
    ["a label that is no text", { nodePools: [{ name: "a", match: { gpu: true } }] }],
    ["a pool without a name", { nodePools: [{ match: {} }] }],
    ["a log level that there is not", { log: { level: "loud" } }],
    ["an event limit of 0", { events: { maxPerHour: 0 } }],
  ])("both refuse %s", (_, tree) => {
    expect(both(tree)).toEqual([false, false]);
  });

  it("never disagree in that the agent accepts what the schema refuses", () => {
    const value = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean(), fc.constantFrom("1h", "10%", 0, "0"));
    const tree = fc.array(fc.tuple(fc.constantFrom(...settings()), value), { maxLength: 4 }).map((pairs) => {
      const made: Record<string, unknown> = {};
      for (const [{ path }, one] of pairs) {
        const [section = "", key] = path;
        if (key === undefined) made[section] = one;
        else made[section] = { ...(made[section] as object | undefined), [key]: one };
      }
      return made;
    });

    fc.assert(
      fc.property(tree, (made) => {
        const [schema, agent] = both(made);

        expect(agent && !schema).toBe(false);
      }),
    );
  });
});

describe("every setting", () => {
  it("has a meaning, a name in the environment of its own, and a default that is accepted", () => {
    const names = settings().map(({ path }) => environmentName(path));

    expect(new Set(names).size).toBe(names.length);
    expect(settings().filter(({ description }) => description === "")).toEqual([]);
    expect(
      settings()
        .filter(({ default: value }) => value === undefined)
        .map(({ path }) => path.join(".")),
    ).toEqual([
      "endpoint",
      "pods.kubeconfig",
      "pods.nodeName",
      "policy.danglingFor",
      "policy.maxImageBytes",
      "safety.maxRemovalsPerRun",
      "safety.maxRemovalFraction",
      "pressure.path",
    ]);
  });
});
