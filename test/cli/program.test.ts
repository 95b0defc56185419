// The built program as users meet it: exit codes, what goes to stdout and what to stderr, node files in and out.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import { emptyNamespace, fakeNode, serveFakeDaemon } from "../runtime/containerd/fake-daemon.ts";
import { startApiServer } from "../support/api-server/api-server.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";
import { buildBundle, runHere, runProgram, startProgram } from "./run-program.ts";

const used = imageOf("used");
const unused = imageOf("unused");
const takenAt = Date.UTC(2026, 0, 2);
const commands = ["run", "plan", "prune", "images", "inspect", "snapshot", "version"];

let folder: TempFolder;
/** A captured node: one image in use with a spare tag, one unused image pulled an hour ago. */
let captured: string;

beforeAll(async () => {
  folder = createTempFolder();
  captured = join(folder.path, "node.json");
  const createdAt = takenAt - 3_600_000;
  const names = [
    nameOf("docker.io/library/used:1", used.target, { createdAt }),
    nameOf("docker.io/library/used:0", used.target, { createdAt }),
    nameOf("docker.io/library/unused:1", unused.target, { createdAt }),
  ];
  const containers = [containerOf("c1", { image: "used:1", imageId: used.id })];
  const namespaces = [namespaceOf("k8s.io", { names, images: [used, unused], containers })];
  const state = nodeOf({ takenAt, namespaces, pods: [podOf("p", ["used:1"])] });
  writeFileSync(captured, formatNodeFile(state));
  await buildBundle();
}, 60_000);

afterAll(() => {
  folder.remove();
});

describe("help", () => {
  it("lists every command", async () => {
    const { code, stdout } = await runProgram(["--help"]);

    expect(code).toBe(0);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +${command} `, "m"));
  });

  it.each(commands)("of %s goes to stdout and lists the flags of every command", async (command) => {
    const { code, stdout, stderr } = await runHere([command, "--help"]);

    expect([code, stderr]).toEqual([0, ""]);
    for (const flag of ["--output", "--config", "--snapshot", "--namespace"]) expect(stdout).toContain(flag);
  });
});

describe("wrong usage", () => {
  it.each([
    ["an unknown command", ["tidy"], /unknown command 'tidy'/],
    ["an unknown flag", ["plan", "--frce"], /unknown option '--frce'/],
    ["an unknown format", ["plan", "-o", "xml"], /Allowed choices are table, json, yaml/],
    ["a missing argument", ["inspect"], /missing required argument/],
    ["an argument too many", ["plan", "x"], /too many arguments/],
    ["a relative socket", ["images", "--endpoint", "x.sock"], /write unix:\/\/ and an absolute path/],
    ["an address of no runtime", ["images", "--endpoint", "ssh://engine"], /or tcp:\/\/host:port for a Docker Engine/],
    ["a duration that is none", ["plan", "--unused-for", "5x"], /"5x": expected a duration such as 90s/],
    ["a filter that is none", ["prune", "--filter", "foo=1"], /unknown filter "foo"/],
    ["a pattern that is none", ["prune", "--keep", "/(/"], /not a regular expression/],
    ["a missing node file", ["plan", "--snapshot", "/nowhere.json"], /\/nowhere.json: .*there is no such file/],
    ["a missing configuration", ["plan", "--config", "/nowhere.yaml"], /cannot read the configuration \/nowhere.yaml/],
    [
      "an address that is none",
      ["run", "--runtime", "embedded", "--listen", "x"],
      /http.listen is "x": expected host:port/,
    ],
  ])("such as %s exits with 2 and one line on stderr", async (_, args, message) => {
    const { code, stdout, stderr } = await runHere(args);

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^prunelet: [^\n]+\n$/);
  });

  it("exits with 2 as a process, too", async () => {
    const { code, stdout, stderr } = await runProgram(["plan", "--snapshot", "/nowhere.json"]);

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^prunelet: [^\n]+\n$/);
  });

  it("lists every problem of a configuration, a line each", async () => {
    const config = join(folder.path, "wrong.yaml");
    writeFileSync(config, "interval: soon\nunknown: 1\n");

    const { code, stderr } = await runHere(["plan", "--snapshot", captured, "--config", config]);

    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(2);
    expect(stderr).toContain(`prunelet: ${config}: unknown key unknown`);
  });
});

describe("a runtime that cannot be reached", () => {
  it("makes the process exit with 1 and nothing on stdout", async () => {
    const { code, stdout, stderr } = await runProgram(["images", "--endpoint", `unix://${folder.path}/none.sock`]);

    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^prunelet: [^\n]+\n$/);
  });

  it.each(["plan", "images", "prune", "snapshot"])(
    "makes %s exit with 1 and one line with the mend",
    async (command) => {
      const state = join(folder.path, "state.json");

      const { code, stdout, stderr } = await runHere([
        ...[command, "--endpoint", `unix://${folder.path}/none.sock`, "--pods", "none", "--state-file", state],
      ]);

      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^prunelet: [^\n]*no socket at [^\n]*--endpoint\n$/);
    },
  );

  it("is said by version, which succeeds", async () => {
    const { code, stdout } = await runHere(["version", "-o", "json", "--endpoint", `unix://${folder.path}/none.sock`]);

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: expect.any(String),
      problem: expect.stringContaining("no socket"),
    });
  });
});

describe("version", () => {
  it("does not hide that the configuration is wrong", async () => {
    const config = join(folder.path, "wrong-runtime.yaml");
    writeFileSync(config, "runtime: dokcer\n");

    const { code, stdout, stderr } = await runHere(["version", "--config", config]);

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^prunelet: [^\n]*runtime is [^\n]*: expected one of [^\n]*\n$/);
  });
});

describe("plan", () => {
  it.each([
    ["no history", undefined, ["docker.io/library/unused:1", "docker.io/library/used:0"]],
    ["one that cannot be read", { version: 3 }, []],
  ])("a plan by age on a captured node with %s", async (_, history, untagged) => {
    const file = join(folder.path, "with-history.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(captured, "utf8")), history }));

    const { stdout } = await runHere(["plan", "--snapshot", file, "--unused-for", "10m", "-o", "json"]);

    expect(JSON.parse(stdout).untagged.toSorted()).toEqual(untagged);
  });

  it("prints JSON and nothing else on stdout, and changes nothing", async () => {
    const before = readFileSync(captured, "utf8");

    const { code, stdout, stderr } = await runProgram(["plan", "--snapshot", captured, "-o", "json"]);

    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: true,
      untagged: ["docker.io/library/unused:1", "docker.io/library/used:0"],
      deleted: [unused.id],
      plannedBytes: 3_300,
      reclaimedBytes: 0,
    });
    expect(readFileSync(captured, "utf8")).toBe(before);
  });

  it("is a table for people and YAML on request", async () => {
    const table = await runHere(["plan", "--snapshot", captured, "-o", "table"]);
    const yaml = await runHere(["plan", "--snapshot", captured, "-o", "yaml"]);

    expect(table.stdout).toMatch(/^VERDICT +NAME +IMAGE +ALONE +IN PLAN +AGE +UNUSED +REASON\ndelete +unused:1 /);
    expect(table.stdout).toContain("1 image and 2 names would go, 1 image and 1 name stay");
    expect(yaml.stdout).toContain("untagged:\n  - docker.io/library/unused:1\n");
  });

  it.each([
    ["--keep", ["--keep", "unused:*"], ["docker.io/library/used:0"]],
    ["--min-age", ["--min-age", "2h"], []],
    ["--unused-for", ["--unused-for", "30m"], ["docker.io/library/unused:1", "docker.io/library/used:0"]],
    ["--dangling", ["--dangling"], []],
    ["--filter until", ["--filter", "until=2025-12-31Z"], []],
    ["--filter label", ["--filter", "label!=keep"], ["docker.io/library/unused:1", "docker.io/library/used:0"]],
  ])("heeds %s", async (_, flags, untagged) => {
    const { stdout } = await runHere(["plan", "--snapshot", captured, "-o", "json", ...flags]);

    expect(JSON.parse(stdout).untagged).toEqual(untagged);
  });

  it("takes ages from the environment and the file as well", async () => {
    const config = join(folder.path, "ages.yaml");
    writeFileSync(config, "policy: {minAge: 2h}\n");

    const fromFile = await runProgram(["plan", "--snapshot", captured, "-o", "json"], { PRUNELET_CONFIG: config });
    const fromEnvironment = await runProgram(["plan", "--snapshot", captured, "-o", "json"], {
      PRUNELET_POLICY_MIN_AGE: "2h",
    });

    expect([fromFile, fromEnvironment].map(({ stdout }) => JSON.parse(stdout).untagged)).toEqual([[], []]);
  });
});

describe("prune", () => {
  it("works on a captured node in memory and writes what is left", async () => {
    const after = join(folder.path, "after.json");

    const { code, stdout } = await runHere(["prune", "--snapshot", captured, "--snapshot-out", after, "-o", "json"]);
    const again = await runHere(["prune", "--snapshot", after, "-o", "json"]);

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: false, deleted: [unused.id], reclaimedBytes: 3_300 });
    expect(JSON.parse(again.stdout)).toMatchObject({ untagged: [], deleted: [] });
    expect(again.code).toBe(0);
  });

  it("looks at the namespaces of a captured node that are named, and at no other", async () => {
    const file = join(folder.path, "two.json");
    const after = join(folder.path, "two-after.json");
    const names = ["a", "b"].map((word) => ({
      name: word,
      names: [{ name: `r.example/${word}:1`, target: digestOf(word) }],
    }));
    writeFileSync(file, JSON.stringify({ namespaces: names, pods: [] }));
    const flags = ["prune", "--snapshot", file, "--snapshot-out", after, "-o", "json"];

    const { stdout } = await runHere([...flags, "--namespace", "b"]);
    const unknown = await runHere([...flags, "--namespace", "c"]);

    expect(JSON.parse(stdout).untagged).toEqual(["r.example/b:1"]);
    const left = JSON.parse(readFileSync(after, "utf8")).namespaces;
    expect(left.map(({ names: all }: { names: unknown[] }) => all.length)).toEqual([1, 0]);
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(/no namespace "c": the runtime has a, b/);
  });

  it("knows an image by its ID name where nothing else tells the ID", async () => {
    const file = join(folder.path, "id-name.json");
    const id = digestOf("config");
    const names = ["docker.io/library/a:1", id].map((name) => ({ name, target: digestOf("manifest") }));
    writeFileSync(file, JSON.stringify({ namespaces: [{ name: "k8s.io", names }], pods: [] }));

    const kept = await runHere(["prune", "--snapshot", file, "--keep", id, "-o", "json"]);
    const inspected = await runHere(["inspect", id.slice("sha256:".length), "--snapshot", file, "-o", "json"]);

    expect(JSON.parse(kept.stdout).untagged).toEqual([]);
    expect(kept.stderr).toBe("");
    expect(JSON.parse(inspected.stdout).names).toHaveLength(2);
  });

  it("warns that nobody tells of pods where there seems to be a cluster, and says nothing elsewhere", async () => {
    const socket = join(folder.path, "w.sock");
    const daemon = await serveFakeDaemon(socket, fakeNode({ "k8s.io": emptyNamespace() }));
    onTestFinished(() => daemon.stop());
    const flags = ["plan", "--endpoint", `unix://${socket}`, "--state-file", join(folder.path, "w.json")];

    const onNode = await runProgram(flags, { HOME: folder.path, NODE_NAME: "n" });
    const elsewhere = await runProgram(flags, { HOME: folder.path });

    expect(onNode.stderr).toMatch(/the pods of this node are not looked at.*no Kubernetes credentials found/);
    expect(elsewhere.stderr).not.toContain("pods of this node");
    expect([onNode.code, elsewhere.code]).toEqual([0, 0]);
  });

  it("removes nothing when it could not write what is left", async () => {
    const socket = join(folder.path, "d.sock");
    const node = fakeNode({
      "k8s.io": { ...emptyNamespace(), images: [{ name: "r.example/live:1", target: digestOf("live") }] },
    });
    const daemon = await serveFakeDaemon(socket, node);
    const flags = ["--endpoint", `unix://${socket}`, "--pods", "none", "--state-file", join(folder.path, "live.json")];
    const out = join(folder.path, "no/folder/after.json");

    const result = await runProgram(["prune", "--yes", "--snapshot-out", out, ...flags]).finally(() => daemon.stop());

    expect(result).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/after\.json: cannot be written: there is no folder/),
    });
    expect(node.namespaces["k8s.io"]?.images).toHaveLength(1);
  });

  it("only plans with --dry-run", async () => {
    const after = join(folder.path, "dry.json");

    const { stdout } = await runHere([
      ...["prune", "--dry-run", "--snapshot", captured, "--snapshot-out", after, "-o", "json"],
    ]);

    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, deleted: [unused.id] });
    expect(JSON.parse(readFileSync(after, "utf8")).namespaces[0].names).toHaveLength(3);
  });

  it("is refused with 3 on a live node when nobody can be asked, and removes nothing", async () => {
    const socket = join(folder.path, "c.sock");
    const target = digestOf("live");
    const node = fakeNode({ "k8s.io": { ...emptyNamespace(), images: [{ name: "r.example/live:1", target }] } });
    const daemon = await serveFakeDaemon(socket, node);
    const flags = ["--endpoint", `unix://${socket}`, "--pods", "none", "--state-file", join(folder.path, "live.json")];

    const result = await runProgram(["prune", ...flags]).finally(() => daemon.stop());

    expect([result.code, result.stdout]).toEqual([3, ""]);
    expect(result.stderr).toMatch(/prunelet: 1 image and 1 name .* would be removed: add --yes .* or --dry-run/);
    expect(node.namespaces["k8s.io"]?.images).toHaveLength(1);
  });
});

describe("snapshot", () => {
  it("prints a node file that gives the same plan", async () => {
    const copy = join(folder.path, "copy.json");
    const { code, stdout } = await runHere(["snapshot", "--snapshot", captured]);
    writeFileSync(copy, stdout);

    const first = await runHere(["plan", "--snapshot", captured, "-o", "json"]);
    const second = await runHere(["plan", "--snapshot", copy, "-o", "json"]);

    expect(code).toBe(0);
    const withoutTime = (text: string) => ({ ...JSON.parse(text), durationMs: 0 });
    expect(withoutTime(second.stdout)).toEqual(withoutTime(first.stdout));
  });
});

describe("inspect and images", () => {
  it.each(["used:1", "docker.io/library/used:0", used.id, used.target, used.id.slice(7, 19)])(
    "find the image that %s means",
    async (reference) => {
      const { code, stdout } = await runHere(["inspect", reference, "--snapshot", captured, "-o", "json"]);

      expect(code).toBe(0);
      expect([JSON.parse(stdout)].flat()).toMatchObject([{ id: used.id, target: used.target, verdict: "keep" }]);
    },
  );

  it("exit with 1 when there is no such image", async () => {
    const { code, stderr } = await runHere(["inspect", "nothing", "--snapshot", captured]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/^prunelet: No such image: nothing:latest/);
  });

  it("list a row a tag, with the ID and the size", async () => {
    const { stdout } = await runHere(["images", "--snapshot", captured]);

    const rows = stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(/\s{2,}/).slice(0, 3));
    expect(rows).toEqual([
      ["unused", "1", unused.id.slice(7, 19)],
      ["used", "0", used.id.slice(7, 19)],
      ["used", "1", used.id.slice(7, 19)],
    ]);
  });
});

describe("run", () => {
  it("goes on in a captured node, and so does its time", async () => {
    const [file, after, config] = ["young.json", "old.json", "run.yaml"].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    const names = [
      { name: "r.example/young:1", target: digestOf("young"), createdAt: new Date(takenAt).toISOString() },
    ];
    writeFileSync(
      file,
      JSON.stringify({ takenAt: new Date(takenAt).toISOString(), namespaces: [{ name: "k8s.io", names }], pods: [] }),
    );
    writeFileSync(config, "interval: 200ms\npolicy: { unusedFor: 0s, minAge: 2s }\nhttp: { listen: '127.0.0.1:0' }");
    const agent = startProgram(["run", "--config", config, "--snapshot", file, "--snapshot-out", after]);
    onTestFinished(async () => void (await agent.stop()));
    await waitFor("the removal of what was too young", () => agent.stderr().includes("r.example/young:1"));

    expect(await agent.stop()).toBe(0);
    const left = JSON.parse(readFileSync(after, "utf8"));
    expect(left.namespaces[0].names).toEqual([]);
    expect(Date.parse(left.takenAt)).toBeGreaterThanOrEqual(takenAt + 2_000);
  });

  it("ends at once while it waits for an API server that does not answer", async () => {
    const api = await startApiServer();
    onTestFinished(() => api.close());
    api.fail({ kind: "hang" });
    const kubeconfig = api.writeKubeconfig(join(folder.path, "kubeconfig"));
    const pods = ["--pods", "kubernetes", "--kubeconfig", kubeconfig, "--node-name", "n"];
    const socket = join(folder.path, "waits.sock");
    const daemon = await serveFakeDaemon(socket, fakeNode({ "k8s.io": emptyNamespace() }));
    onTestFinished(() => daemon.stop());
    const files = ["--state-file", join(folder.path, "waits.json"), "--audit-file", join(folder.path, "waits.jsonl")];
    const node = ["--runtime", "containerd", "--endpoint", `unix://${socket}`, ...files];
    const agent = startProgram(["run", "--listen", "127.0.0.1:0", ...node, ...pods]);
    onTestFinished(async () => void (await agent.stop()));
    await waitFor("the question for the pods", () => api.count("list") > 0);

    const beforeEnd = performance.now();
    expect(await agent.stop()).toBe(0);
    // Waiting for the first list would take ten seconds.
    expect(performance.now() - beforeEnd).toBeLessThan(8_000);
  });

  it("serves metrics and probes until it is told to stop, and then exits with 0", async () => {
    const agent = startProgram(["run", "--runtime", "embedded", "--listen", "127.0.0.1:0"]);
    try {
      const url = await waitFor("the address", () => /(http:\/\/[\d.:]+)\/metrics/.exec(agent.stderr())?.[1]);
      const ready = await waitFor("readiness", async () => (await fetch(`${url}/readyz`)).status === 200);
      const metrics = await (await fetch(`${url}/metrics`)).text();

      expect(ready).toBe(true);
      expect(agent.stderr()).not.toMatch(/pods of this node are not known/);
      expect(metrics).toMatch(/prunelet_reconciles_total\{result="done"\} [1-9]/);
      expect(await agent.stop()).toBe(0);
    } finally {
      await agent.stop();
    }
  });
});
