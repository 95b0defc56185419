// The configuration: which source wins, and what is said about everything that is wrong.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import type { ConfigSources } from "../../src/config/layers.ts";
import { loadConfig } from "../../src/config/load.ts";
import { environmentName } from "../../src/config/settings.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = createTempFolder();
});

afterEach(() => {
  folder.remove();
});

function load(more: Partial<ConfigSources> = {}) {
  return loadConfig({ file: undefined, env: {}, flags: {}, ...more });
}

function fileWith(text: string): string {
  const path = join(folder.path, "config.yaml");
  writeFileSync(path, text);
  return path;
}

function problemsOf(sources: Partial<ConfigSources>): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("the configuration", () => {
  it("has safe defaults: a day without use, a while after the pull, Kubernetes' own namespace", () => {
    expect(load()).toMatchObject({
      enabled: true,
      runtime: "auto",
      namespaces: ["k8s.io"],
      pods: { source: "auto", staleAfter: 300_000 },
      interval: 600_000,
      jitter: 0.1,
      startJitter: 30_000,
      policy: {
        unusedFor: 86_400_000,
        minAge: 600_000,
        danglingOnly: false,
        keepPerRepository: 0,
        keep: [],
        remove: [],
        filters: [],
        podNamespaces: { only: [], except: [] },
        order: "least-recently-used",
      },
      safety: {},
      act: { callTimeout: 30_000 },
      stateFile: "/var/lib/prunelet/state.json",
      audit: { file: "/var/lib/prunelet/audit.jsonl", maxSize: 10 * 1024 ** 2, keep: 5 },
      http: { listen: "0.0.0.0:9095" },
      events: { enabled: true, maxPerHour: 20 },
      log: { level: "info", format: "auto" },
      nodePools: [],
    });
  });

  it("takes flags before the environment, the environment before the file, the file before defaults", () => {
    const file = fileWith("interval: 1m\njitter: 0.2\npolicy: {unusedFor: 2h, minAge: 3h, keep: [a]}\n");
    const env = { PRUNELET_POLICY_UNUSED_FOR: "4h", PRUNELET_POLICY_MIN_AGE: "5h" };

    const config = load({
      file,
      env,
      flags: { policy: { minAge: "6h" } },
      defaults: { policy: { danglingOnly: true } },
    });

    expect(config.policy).toMatchObject({
      unusedFor: 14_400_000,
      minAge: 21_600_000,
      danglingOnly: true,
      keep: ["a"],
      filters: [],
    });
    expect(config).toMatchObject({ interval: 60_000, jitter: 0.2 });
  });

  it("ignores flags that were not given and empty variables", () => {
    const file = fileWith("policy: {keep: [a]}\n");

    const config = load({ file, env: { PRUNELET_POLICY_KEEP: "" }, flags: { policy: { keep: undefined } } });

    expect(config.policy.keep).toEqual(["a"]);
  });

  it("may be an empty file", () => {
    expect(load({ file: fileWith("# nothing yet\n") })).toEqual(load());
  });

  it.each([
    ["PRUNELET_RUNTIME", "containerd", { runtime: "containerd" }],
    ["PRUNELET_ENDPOINT", "unix:///x.sock", { endpoint: "unix:///x.sock" }],
    ["PRUNELET_NAMESPACES", "k8s.io,moby", { namespaces: ["k8s.io", "moby"] }],
    ["PRUNELET_NAMESPACES", "k8s.io, moby ", { namespaces: ["k8s.io", "moby"] }],
    ["PRUNELET_PODS_SOURCE", "none", { pods: { source: "none" } }],
    ["PRUNELET_PODS_NODE_NAME", "n1", { pods: { nodeName: "n1" } }],
    ["PRUNELET_PODS_KUBECONFIG", "/k", { pods: { kubeconfig: "/k" } }],
    ["PRUNELET_PODS_STALE_AFTER", "1m", { pods: { staleAfter: 60_000 } }],
    ["PRUNELET_INTERVAL", "90s", { interval: 90_000 }],
    ["PRUNELET_JITTER", "0.5", { jitter: 0.5 }],
    ["PRUNELET_POLICY_DANGLING_ONLY", "true", { policy: { danglingOnly: true } }],
    ["PRUNELET_POLICY_FILTERS", "label=a,until=24h", { policy: { filters: ["label=a", "until=24h"] } }],
    ["PRUNELET_ACT_CONCURRENCY", "8", { act: { concurrency: 8 } }],
    ["PRUNELET_ACT_CALL_TIMEOUT", "5s", { act: { callTimeout: 5_000 } }],
    ["PRUNELET_STATE_FILE", "/s.json", { stateFile: "/s.json" }],
    ["PRUNELET_HTTP_LISTEN", ":1", { http: { listen: ":1" } }],
    ["PRUNELET_LOG_LEVEL", "debug", { log: { level: "debug" } }],
    ["PRUNELET_LOG_FORMAT", "json", { log: { format: "json" } }],
  ])("reads %s=%s", (name, value, expected) => {
    expect(load({ env: { [name]: value } })).toMatchObject(expected);
  });

  it("names its variables after its keys", () => {
    expect(environmentName(["policy", "unusedFor"])).toBe("PRUNELET_POLICY_UNUSED_FOR");
  });
});

describe("a wrong configuration", () => {
  it("is refused with every problem at once, each with the path of its key", () => {
    const file = fileWith(
      "interval: soon\njitter: 2\nruntime: podman\npolicy: {unusedFor: 24, keep: nginx}\nact: {concurrency: 0}\n",
    );

    const problems = problemsOf({ file });

    expect(problems).toHaveLength(6);
    for (const path of ["interval", "jitter", "runtime", "policy.unusedFor", "policy.keep", "act.concurrency"]) {
      expect(problems.filter((problem) => problem.startsWith(`${file}: ${path} `))).toHaveLength(1);
    }
  });

  it.each([
    ["interval: 5 parsecs", /interval is "5 parsecs": expected a duration such as 90s/],
    ["policy: {danglingOnly: maybe}", /policy.danglingOnly is "maybe": expected true or false/],
    ["namespaces: []", /namespaces is \[\]: expected at least 1 in the list/],
    ["act: {concurrency: 0}", /act.concurrency is 0: expected at least 1$/],
    ["act: {concurrency: 1.5}", /act.concurrency is 1.5: expected a whole number/],
    ["runtime: rkt", /runtime is "rkt": expected one of auto, containerd, /],
    ["nodePools: [{match: {}}]", /nodePools.0.name is missing: expected text/],
    ["policy: {keep: [1]}", /policy.keep.0 is 1: expected text/],
    ["policy: often", /policy is "often": expected keys and values/],
    ["http: {listen: here}", /http.listen is "here": expected host:port/],
    ["http: {listen: 'host:70000'}", /http.listen is "host:70000": expected host:port/],
    ["endpoint: /run/containerd.sock", /endpoint is "\/run\/containerd.sock": expected unix:\/\//],
  ])("such as %s is named with what was found and what is allowed", (text, problem) => {
    expect(problemsOf({ file: fileWith(text) })).toEqual([expect.stringMatching(problem)]);
  });

  it("names unknown keys wherever they are", () => {
    const problems = problemsOf({ file: fileWith("intervall: 1m\npolicy: {unusedfor: 1h, keeps: []}\n") });

    expect(problems.map((problem) => /unknown key (\S+):/.exec(problem)?.[1])).toEqual(
      expect.arrayContaining(["intervall", "policy.unusedfor", "policy.keeps"]),
    );
  });

  it("changes nothing but the answer when it is hostile", () => {
    const file = fileWith("__proto__: {polluted: true}\npolicy: {__proto__: {polluted: true}}\n");

    const problems = problemsOf({ file });

    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining("unknown key __proto__")]));
  });

  it("names the variable or the flag when that is what is wrong", () => {
    const file = fileWith("interval: 1m\n");
    const env = { PRUNELET_POLICY_MIN_AGE: "young" };

    const problems = problemsOf({ file, env, flags: { policy: { unusedFor: "long" } } });

    expect(problems).toHaveLength(2);
    expect(problems.find((problem) => problem.includes("policy.minAge"))).toMatch(/^PRUNELET_POLICY_MIN_AGE: /);
    expect(problems.find((problem) => problem.includes("policy.unusedFor"))).toMatch(/^policy\.unusedFor is "long"/);
  });

  it.each([
    ["a: [", /not valid YAML/],
    ["a: 1\na: 2\n", /not valid YAML/],
    ["- a\n- b\n", /holds a list: expected keys and values/],
    ["just text", /holds string "just text"/],
    ["a: 1\n---\nb: 2\n", /not valid YAML/],
  ])("that reads %j is no configuration file", (text, problem) => {
    const problems = problemsOf({ file: fileWith(text) });

    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).not.toContain("\n");
  });

  it("that cannot be read is named with the mend", () => {
    const missing = join(folder.path, "missing.yaml");
    mkdirSync(join(folder.path, "folder.yaml"));

    expect(problemsOf({ file: missing })).toEqual([
      expect.stringMatching(/cannot read .*missing.yaml: there is no such file; check --config/),
    ]);
    expect(problemsOf({ file: join(folder.path, "folder.yaml") })).toEqual([
      expect.stringContaining("it is a directory"),
    ]);
  });

  it("in the environment is refused like one in a file", () => {
    const problems = problemsOf({
      env: { PRUNELET_POLICY_DANGLING_ONLY: "yes", PRUNELET_ACT_CONCURRENCY: "many", PRUNELET_JITTER: " " },
    });

    expect(problems).toHaveLength(3);
  });
});
