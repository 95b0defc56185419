// The configuration of a running agent: what it takes over, what it refuses, and what has to wait for a restart.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLiveConfig, type LiveConfig } from "../../src/config/live-config.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

let folder: TempFolder;
let file: string;

beforeEach(() => {
  folder = createTempFolder();
  file = join(folder.path, "config.yaml");
});

afterEach(() => {
  folder.remove();
});

function live(text: string): LiveConfig {
  writeFileSync(file, text);
  return createLiveConfig({ file, env: { PRUNELET_JITTER: "0.3" }, flags: { policy: { minAge: "1m" } } });
}

describe("a changed file", () => {
  it("takes effect at once, and its changes are named", () => {
    const config = live("interval: 1m\n");

    writeFileSync(file, "interval: 2m\npolicy: {keep: [a]}\nlog: {level: debug}\n");
    const result = config.reload();

    expect(result).toEqual({ kind: "loaded", changed: ["interval", "policy.keep", "log.level"], needsRestart: [] });
    expect(config.current().config).toMatchObject({
      interval: 120_000,
      policy: { keep: ["a"] },
      log: { level: "debug" },
    });
  });

  it.each(["policy: &all\n  keep: []\n  order: *all\n", "policy:\n  keep: &all [a, *all]\n"])(
    "that has no end is refused, and what held before holds on: %j",
    (text) => {
      const config = live("interval: 1m\n");

      writeFileSync(file, text);

      const problem = `${file} has an alias inside of what it stands for: write it out`;
      expect(config.reload()).toEqual({ kind: "refused", problems: [problem] });
      expect(config.current().config.interval).toBe(60_000);
    },
  );

  it("may use an alias several times", () => {
    const config = live("interval: 1m\n");

    writeFileSync(file, "interval: &t 2m\npolicy: {unusedFor: *t, minAge: *t, keep: &k [a], remove: *k}\n");

    expect(config.reload()).toMatchObject({ kind: "loaded" });
  });

  it.each(["", "# nothing\n"])("that is empty all of a sudden is refused: %j", (text) => {
    const config = live("policy: {keep: [a]}\n");

    writeFileSync(file, text);
    const result = config.reload();

    expect(result).toEqual({ kind: "refused", problems: [expect.stringContaining("is empty now")] });
    expect(config.current().config.policy).toMatchObject({ keep: ["a"] });
  });

  it("does not win over environment and flags", () => {
    const config = live("");

    writeFileSync(file, "jitter: 0.9\npolicy: {minAge: 9h}\n");
    const result = config.reload();

    expect(result).toEqual({ kind: "loaded", changed: [], needsRestart: [] });
    expect(config.current().config).toMatchObject({ jitter: 0.3, policy: { minAge: 60_000 } });
  });

  it("says what needs a restart, and leaves that as it was", () => {
    const config = live("runtime: containerd\nhttp: {listen: ':1'}\nlog: {format: json}\n");

    writeFileSync(file, "runtime: docker\nhttp: {listen: ':2'}\nlog: {format: text, level: warn}\ninterval: 3m\n");
    const first = config.reload();
    writeFileSync(file, "runtime: docker\nhttp: {listen: ':1'}\nlog: {format: json}\n");
    const second = config.reload();

    expect(first).toEqual({
      kind: "loaded",
      changed: ["interval", "log.level"],
      needsRestart: ["runtime", "http.listen", "log.format"],
    });
    expect(second).toMatchObject({ needsRestart: ["runtime"] });
    const { runtime, http, log } = config.current().config;
    expect({ runtime, http, log }).toEqual({
      runtime: "containerd",
      http: { listen: ":1" },
      log: { format: "json", level: "info" },
    });
  });

  it.each([
    ["is wrong", () => writeFileSync(file, "interval: soon\npolicy: {keep: ['/(/']}\n"), 2],
    ["is no YAML", () => writeFileSync(file, "a: ["), 1],
    ["is gone", () => rmSync(file), 1],
  ])("that %s is refused with every problem, and what held before holds on", (_, spoil, problems) => {
    const config = live("interval: 1m\n");

    spoil();
    const result = config.reload();

    expect(result).toMatchObject({ kind: "refused", problems: { length: problems } });
    expect(config.current().config.interval).toBe(60_000);
  });

  it("that says what held before a refusal is loaded: somebody waits for that", () => {
    const config = live("interval: 1m\n");
    writeFileSync(file, "interval: soon\n");
    config.reload();

    writeFileSync(file, "interval: 1m\n");
    const results = [config.reload(), config.reload()];

    expect(results).toEqual([{ kind: "loaded", changed: [], needsRestart: [] }, { kind: "unchanged" }]);
  });
});

describe("the labels of the node", () => {
  const pools = "nodePools: [{name: gpu, match: {gpu: '*'}, interval: 9m}]\n";

  it("choose a pool, and leave it again", () => {
    const config = live(`interval: 1m\n${pools}`);

    const seen = [{ gpu: "x" }, { gpu: "y" }, {}].map((labels) => [
      config.setLabels(labels as Record<string, string>),
      config.current().pool,
      config.current().config.interval,
    ]);

    expect(seen).toEqual([
      [true, "gpu", 540_000],
      [false, "gpu", 540_000],
      [true, undefined, 60_000],
    ]);
  });

  it("hold for a file that came later, too", () => {
    const config = live("interval: 1m\n");
    config.setLabels({ gpu: "x" });

    writeFileSync(file, `interval: 1m\n${pools}`);
    const result = config.reload();

    expect(result).toMatchObject({ kind: "loaded", changed: ["interval", "nodePools"] });
    expect(config.current()).toMatchObject({ pool: "gpu", config: { interval: 540_000 } });
  });

  it("change nothing of what needs a restart, and do not read a wrong file", () => {
    const config = live(`interval: 1m\n${pools}`);
    writeFileSync(file, "interval: soon\n");

    config.setLabels({ gpu: "x" });

    expect(config.current().config.interval).toBe(540_000);
  });
});
