// Every command against real daemons, with the JSON that scripts rely on; captured nodes answer like live ones.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { hexOf } from "../../src/image/digest.ts";
import { describeNodes } from "../support/e2e-node.ts";
import { type PruneReport, reasonCodes } from "../support/e2e-report.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { runPrunelet } from "../support/prunelet.ts";

const shared = buildLayer({ "data/shared": "x".repeat(100_000) }, { gzip: false });
const used = buildImage({ layers: [shared, buildLayer({ "data/used": "used" })], labels: { app: "used" } });
const unused = buildImage({ layers: [shared, buildLayer({ "data/unused": "unused" })], labels: { app: "unused" } });
const names = ["docker.io/library/used:1", "docker.io/library/used:2", "example.org/team/unused:1"];
const live = ["--namespace", "default", "--pods", "none"];

describeNodes("commands", (node, line) => {
  beforeAll(async () => {
    const { containerd } = node();
    await containerd.import(used, { names: names.slice(0, 2) });
    await containerd.import(unused, { names: [names[2] ?? ""] });
    const snapshotter = ["--snapshotter", containerd.snapshotter];
    await containerd.ctr("containers", "create", ...snapshotter, names[0] ?? "", "user");
  });

  const json = async (...args: readonly string[]): Promise<unknown> => {
    const result = await node().prunelet([...args, ...live, "-o", "json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    return result.json();
  };

  test("version tells the daemon's version and what it can do", async () => {
    const version = await json("version");

    expect(version).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      runtime: {
        kind: "containerd",
        version: expect.stringContaining(line),
        apiVersions: { containerd: "v1" },
        capabilities: { untag: true, compareAndDelete: line === "2.1" },
      },
    });
  });

  test("images lists every tag with its image ID, and digests when asked", async () => {
    const rows = (await json("images")) as readonly unknown[];
    const table = await node().prunelet(["images", "--digests", ...live]);

    expect(rows).toEqual([
      expect.objectContaining({ repository: "example.org/team/unused", tag: "1", id: unused.config.digest }),
      expect.objectContaining({ repository: "used", tag: "1", id: used.config.digest, target: used.target.digest }),
      expect.objectContaining({ repository: "used", tag: "2", id: used.config.digest }),
    ]);
    expect(table.stdout).toMatch(/^REPOSITORY\s+TAG\s+DIGEST\s+IMAGE ID\s+CREATED\s+SIZE\n/);
    expect(table.stdout).toMatch(/^used\s+1\s+sha256:[0-9a-f]{64}\s/m);
  });

  test("inspect finds an image by name, ID, digest or their beginning, and says who uses it", async () => {
    const spellings = [
      "used:1",
      names[1] ?? "",
      used.config.digest,
      hexOf(used.config.digest).slice(0, 12),
      used.target.digest,
    ];

    const pages = await Promise.all(spellings.map((spelling) => json("inspect", spelling)));

    for (const page of pages) {
      expect(page).toMatchObject({
        id: used.config.digest,
        target: used.target.digest,
        verdict: "keep",
        labels: { app: "used" },
        containers: [{ id: "user", state: "created" }],
      });
    }
  });

  test("plan explains every name and changes nothing", async () => {
    const plan = (await json("plan")) as PruneReport;
    const dry = (await json("prune", "--dry-run")) as PruneReport;

    expect(plan).toMatchObject({
      runtime: { kind: "containerd", version: expect.stringContaining(line) },
      dryRun: true,
      untagged: ["example.org/team/unused:1", "docker.io/library/used:2"],
      deleted: [unused.config.digest],
      failed: [],
      reclaimedBytes: 0,
    });
    expect(reasonCodes(plan, "docker.io/library/used:1")).toContain("used-by-container");
    expect(withoutTime(dry)).toEqual(withoutTime(plan));
    expect(await node().names()).toEqual([...names].sort());
  });

  test("plan is the same as a table and as YAML", async () => {
    const table = await node().prunelet(["plan", ...live]);
    const yaml = await node().prunelet(["plan", ...live, "-o", "yaml"]);
    const plan = (await json("plan")) as PruneReport;

    expect(table.code).toBe(0);
    for (const name of ["used:1", "used:2", "example.org/team/unused:1"]) expect(table.stdout).toContain(name);
    expect(withoutTime(parseYaml(yaml.stdout) as PruneReport)).toEqual(withoutTime(plan));
  });

  test("a captured node gets the verdicts of the live one, and removing in it touches nothing", async () => {
    const file = join(node().folder.path, "node.json");
    const after = join(node().folder.path, "after.json");
    const snapshot = await node().prunelet(["snapshot", ...live]);
    writeFileSync(file, snapshot.stdout);
    const plan = (await json("plan")) as PruneReport;

    const replayed = await runPrunelet(["plan", "--snapshot", file, "-o", "json"]);
    const pruned = await runPrunelet(["prune", "--snapshot", file, "--snapshot-out", after, "-o", "json"]);
    const again = await runPrunelet(["plan", "--snapshot", after, "-o", "json"]);

    expect(snapshot.code).toBe(0);
    expect(withoutTime(replayed.json() as PruneReport)).toEqual(withoutTime(plan));
    expect(pruned.json()).toMatchObject({ untagged: plan.untagged, reclaimedBytes: plan.plannedBytes });
    expect(again.json()).toMatchObject({ untagged: [], deleted: [], plannedBytes: 0 });
    expect(await node().names()).toEqual([...names].sort());
  });

  test("prune removes what the plan said and then has nothing to do; without --yes it refuses", async () => {
    const refused = await node().prunelet(["prune", ...live]);
    const plan = (await json("plan")) as PruneReport;
    const report = await node().prune(live);
    const idle = await node().prunelet(["prune", ...live]);

    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(report).toMatchObject({ ...pick(plan), dryRun: false, reclaimedBytes: plan.plannedBytes });
    expect(report.plannedBytes).toBeGreaterThan(0);
    expect(idle).toMatchObject({ code: 0, stderr: "" });
    expect(await node().names()).toEqual(["docker.io/library/used:1"]);
  });
});

function withoutTime({ durationMs: _, disks: __, images, ...report }: PruneReport): object {
  return { ...report, images: images.map(({ ageMs: ___, lastUsed: ____, ...image }) => image) };
}

function pick({ untagged, deleted, plannedBytes, kept }: PruneReport) {
  return { untagged, deleted, plannedBytes, kept };
}
