// The rules on what goes, and the limits on how much, as a person meets them: flags, configuration, exit codes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { buildBundle, runHere, runProgram } from "./run-program.ts";

const versions = ["1", "2", "3", "4"];

/** Four releases of one application, a day apart, each with a layer of its own. */
const node = {
  takenAt: "2026-01-31T00:00:00Z",
  namespaces: [
    {
      name: "k8s.io",
      names: versions.map((version) => ({
        name: `registry.example/app:${version}`,
        target: digestOf(version),
        createdAt: `2026-01-0${version}T00:00:00Z`,
      })),
      images: versions.map((version) => ({
        target: digestOf(version),
        createdAt: `2026-01-0${version}T00:00:00Z`,
        labels: { version },
        blobs: [{ digest: digestOf(version), size: 1_000_000 }],
      })),
    },
  ],
  pods: [],
};

describe("prune on a captured node", () => {
  let folder: TempFolder;
  let snapshot: string;

  beforeAll(() => {
    folder = createTempFolder();
    snapshot = join(folder.path, "node.json");
    writeFileSync(snapshot, JSON.stringify(node));
  });

  afterAll(() => {
    folder.remove();
  });

  const prune = (...flags: string[]) => runHere(["prune", "--snapshot", snapshot, "-o", "json", ...flags]);
  const untagged = (stdout: string) =>
    (JSON.parse(stdout) as { untagged: string[] }).untagged.map((name) => name.split(":")[1]);
  const configured = (yaml: string) => {
    const path = join(folder.path, "config.yaml");
    writeFileSync(path, yaml);
    return ["--config", path];
  };

  it.each([
    ["--keep-per-repository", "2", ["1", "2"]],
    ["--keep", "label:version=2", ["1", "3", "4"]],
    ["--max-image-bytes", "100Mi", []],
  ])("%s %s lets %j go", async (flag, value, expected) => {
    const ages = flag === "--max-image-bytes" ? ["--unused-for", "90d"] : [];

    const { code, stdout } = await prune(flag, value, ...ages);

    expect({ code, untagged: untagged(stdout).toSorted() }).toEqual({ code: 0, untagged: expected });
  });

  it("lets what the remove list means go although it is not old enough, and nothing else", async () => {
    const { code, stdout } = await prune("--unused-for", "90d", "--remove", "registry.example/app:3");

    expect({ code, untagged: untagged(stdout) }).toEqual({ code: 0, untagged: ["3"] });
  });

  it("removes the oldest until images take no more than they may", async () => {
    const { code, stdout } = await prune("--unused-for", "90d", "--max-image-bytes", "2500000");

    expect({ code, untagged: untagged(stdout) }).toEqual({ code: 0, untagged: ["1", "2"] });
  });

  it.each([
    ["app:2", "--keep app:2 matches no image here"],
    ["registry.example/app", "means registry.example/app:latest, every tag is 'registry.example/app:*'"],
    ["registry.example/ap/*", "--keep registry.example/ap/* matches no image here"],
    ["label:team", "--keep label:team matches no image here"],
  ])("notes that --keep %s matches nothing", async (pattern, note) => {
    const planned = await runHere([
      "plan",
      "--snapshot",
      snapshot,
      "--keep",
      pattern,
      "--keep",
      "registry.example/app:1",
    ]);
    const { code, stderr } = await prune("--keep", pattern, "--keep", "registry.example/app:1");

    expect([planned.code, code]).toEqual([0, 0]);
    for (const text of [planned.stderr, stderr]) {
      expect(text).toMatch(/^prunelet: note: [^\n]+\n$/);
      expect(text).toContain(note);
    }
  });

  it("removes no more than a limit allows", async () => {
    const { code, stdout } = await prune(
      ...configured("policy: {unusedFor: 0, minAge: 0}\nsafety: {maxRemovalsPerRun: 1}\n"),
    );

    expect({ code, untagged: untagged(stdout) }).toEqual({ code: 0, untagged: ["1"] });
  });

  it("refuses with exit code 3 when a limit lets nothing go, and says which and how to mend it", async () => {
    const rules = "policy: {unusedFor: 0, minAge: 0}\nsafety: {maxRemovalFraction: 10%}\n";

    const { code, stdout, stderr } = await prune("-o", "table", ...configured(rules));

    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(
      /nothing was removed: 4 of 4 images wait: at most 10% of the 4 images in one round: raise safety\./,
    );
  });

  it("gives programs a report of the refusal, and says it once on stderr", async () => {
    await buildBundle();
    const flags = configured("policy: {unusedFor: 0, minAge: 0}\nsafety: {maxRemovalFraction: 10%}\n");

    const { code, stdout, stderr } = await runProgram(["prune", "--snapshot", snapshot, "-o", "json", ...flags]);

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ dryRun: false, untagged: [], deleted: [], reclaimedBytes: 0 },
      brakes: [{ code: "max-fraction", images: 4, detail: expect.stringContaining("at most 10%") }],
    });
    expect(stderr).toMatch(/^prunelet: nothing was removed: 4 of 4 images wait[^\n]*\n$/);
  }, 60_000);

  it.each([
    [["--keep-per-repository", "many"], /policy\.keepPerRepository/],
    [["--max-image-bytes", "lots"], /policy\.maxImageBytes is "lots": expected a size/],
    [["--remove", "/(/"], /policy\.remove\.0 is wrong: pattern \/\(\/ is not a regular expression/],
    [["--dangling-for", "soon"], /policy\.danglingFor is "soon": expected a duration/],
  ])("refuses %j with exit code 2", async (flags, problem) => {
    const { code, stderr } = await prune(...flags);

    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });
});
