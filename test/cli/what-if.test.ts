// `plan --what-if`: what other settings would change on a captured node, in numbers and image by image.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sighting } from "../../src/decide/history.ts";
import type { Digest } from "../../src/image/digest.ts";
import { toHistoryDocument } from "../../src/observe/history-document.ts";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import type { PlanDifference } from "../../src/report/plan-difference.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf, sightingOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { runHere } from "./run-program.ts";

const day = 86_400_000;
const [used, young, old] = [imageOf("used"), imageOf("young"), imageOf("old")];
const names = [
  nameOf("docker.io/library/used:1", used.target),
  nameOf("docker.io/library/used:0", used.target),
  nameOf("docker.io/library/young:1", young.target),
  nameOf("docker.io/library/old:1", old.target),
];
const containers = [containerOf("c", { image: "docker.io/library/used:1", imageId: used.id })];
const state = nodeOf({
  namespaces: [namespaceOf("default", { names, images: [used, young, old], containers })],
  pods: [],
});
const seen = (daysAgo: number): Sighting =>
  sightingOf({ firstSeen: state.takenAt - 30 * day, lastUsed: state.takenAt - daysAgo * day });
const history = toHistoryDocument({
  unknown: "just-used",
  namespaces: new Map([
    [
      "default",
      {
        images: new Map<Digest, Sighting>([
          [used.target, seen(0)],
          [young.target, seen(2)],
          [old.target, seen(10)],
        ]),
        names: new Map([
          ["docker.io/library/used:1", seen(0)],
          ["docker.io/library/used:0", seen(20)],
          ["docker.io/library/young:1", seen(2)],
          ["docker.io/library/old:1", seen(10)],
        ]),
      },
    ],
  ]),
});
const disk = { path: "/var/lib/containerd", capacityBytes: 10_000, usedBytes: 9_900, inodes: 0, inodesUsed: 0 };

interface Answer {
  readonly untagged: readonly string[];
  readonly disks: readonly unknown[];
  readonly demand: unknown;
  readonly whatIf: PlanDifference & { readonly settings: readonly string[] };
}

describe("what if", () => {
  let folder: TempFolder;
  let captured: string;

  beforeAll(() => {
    folder = createTempFolder();
    captured = join(folder.path, "node.json");
    writeFileSync(captured, formatNodeFile(state, history, [disk]));
  });

  afterAll(() => {
    folder.remove();
  });

  const ask = async (...args: string[]): Promise<Answer> => {
    const { code, stdout, stderr } = await runHere(["plan", "--snapshot", captured, ...args, "-o", "json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const changes = async (...args: string[]) =>
    (await ask(...args)).whatIf.changes.map(({ change, names: about }) => `${change} ${about.join(" ")}`);

  test("nothing else is set, nothing would change", async () => {
    expect(await changes("--what-if", "danglingOnly=false")).toEqual([]);
  });

  test("the age is another one, some would stay; the plan of now is there as well", async () => {
    const answer = await ask("--what-if", "unusedFor=7d");

    expect(answer.untagged).toHaveLength(3);
    expect(answer.whatIf).toEqual({
      settings: ["unusedFor=7d"],
      now: { images: 2, names: 3, bytes: 6_600 },
      otherwise: { images: 1, names: 2, bytes: 3_300 },
      changes: [
        {
          change: "stays",
          namespace: "default",
          image: young.id,
          whole: true,
          names: ["docker.io/library/young:1"],
          bytes: 3_300,
          reasons: [expect.objectContaining({ code: "recently-used" })],
        },
      ],
    });
  });

  test.each([
    [
      "the age is shorter than now",
      ["--unused-for", "15d", "--what-if", "unusedFor=5d"],
      ["goes docker.io/library/old:1"],
    ],
    [
      "several settings are others",
      ["--what-if", "unusedFor=1d", "--what-if", "policy.keep=old:1,used:0"],
      ["stays docker.io/library/old:1", "stays docker.io/library/used:0"],
    ],
    ["only a name would stay", ["--what-if", "keep=used:0"], ["stays docker.io/library/used:0"]],
    ["a limit is set", ["--what-if", "safety.maxRemovalsPerRun=1"], ["stays docker.io/library/young:1"]],
    [
      "the disk may not be that full",
      ["--unused-for", "30d", "--what-if", "pressure.high=90%", "--what-if", "pressure.low=80%"],
      [],
    ],
  ])("%s", async (_, args, expected) => {
    expect(await changes(...args)).toEqual(expected);
  });

  test("the marks are others, what pressure would take goes or stays", async () => {
    const config = join(folder.path, "agent.yaml");
    writeFileSync(config, "policy: {unusedFor: 30d}\npressure: {high: 99.5%, low: 99%, emergency: 99.9%}\n");

    const answer = await ask("--config", config, "--what-if", "pressure.high=80%", "--what-if", "pressure.low=70%");

    expect(answer.demand).toBeNull();
    expect(
      answer.whatIf.changes.filter(({ whole }) => whole).map(({ change, names: about }) => [change, ...about]),
    ).toEqual([["goes", "docker.io/library/old:1"]]);
    expect(answer.whatIf.changes[0]?.reasons[0]?.code).toBe("pressure");
  });

  test("a configuration file is given, the plan is the agent's: a disk that is too full counts", async () => {
    const config = join(folder.path, "tight.yaml");
    writeFileSync(config, "policy: {unusedFor: 30d}\n");

    const agent = await ask("--config", config);
    const person = await ask("--unused-for", "30d");

    expect(agent.demand).toMatchObject({ mode: "emergency" });
    expect(person.demand).toBeNull();
    expect(agent.disks).toEqual([expect.objectContaining({ path: "/var/lib/containerd", used: 9_900, inUse: 3_300 })]);
  });

  test("people read the numbers, and a row for each change", async () => {
    const { stdout } = await runHere(["plan", "--snapshot", captured, "--what-if", "unusedFor=7d"]);

    const cells = stdout.split("\n").map((line) => line.split(/ {3,}/));
    expect(cells).toEqual([
      ["WHAT IF unusedFor=7d", "NOW", "THEN", "DIFFERENCE"],
      ["images deleted", "2", "1", "-1"],
      ["names removed", "3", "2", "-1"],
      ["bytes freed", "6.4 KiB", "3.2 KiB", "-3.2 KiB"],
      [""],
      ["CHANGE", "NAME", "IMAGE", "BYTES", "REASON THEN"],
      ["stays", "young:1", young.id.slice(7, 19), "3.2 KiB", "unused for 2d, less than 7d"],
      [""],
      ["0 images more would go, 1 image fewer"],
      [""],
    ]);
  });

  test("people read that nothing would change", async () => {
    const { stdout } = await runHere(["plan", "--snapshot", captured, "--what-if", "minAge=0"]);

    expect(stdout).toContain("nothing would change");
  });

  test.each([
    ["unusedFor", "write key=value"],
    ["=7d", "write key=value"],
    ["colour=red", "--what-if knows no key colour: there are unusedFor, "],
    ["interval=5m", "--what-if knows no key interval"],
    ["unusedFor=often", 'policy.unusedFor is "often": expected a duration'],
    ["pressure.high=60%", "pressure.low is not below the high mark"],
    ["keep=/[/", "policy.keep.0 is wrong"],
  ])("%s is wrong usage", async (text, message) => {
    const { code, stdout, stderr } = await runHere(["plan", "--snapshot", captured, "--what-if", text]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
