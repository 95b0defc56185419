// The audit and the state file on a real node: a process that is killed in the middle, a disk that is full, a file that is not ours.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type AuditRecord, type AuditRecordOf, parseAuditLine } from "../../src/report/audit-record.ts";
import { describeNodes, type E2eNode, settledNames } from "../support/e2e-node.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import type { RunningPrunelet } from "../support/prunelet.ts";
import { fillUp, makeRoom, mountSmall } from "../support/small-disk.ts";
import { waitFor } from "../support/wait.ts";

const live = ["--namespace", "default", "--pods", "none"];

describeNodes("the audit", (node) => {
  let path: string;
  let folders = 0;

  beforeEach(() => {
    folders += 1;
    path = join(node().folder.path, `audit-${folders}`, "audit.jsonl");
  });

  const audited = (file = path) => ["--audit-file", file, ...live];
  const listed = async (...args: string[]) => {
    const result = await node().prunelet(["history", "--audit-file", path, "-o", "json", ...args]);
    return (result.json() as { readonly records: readonly AuditRecord[] }).records;
  };

  test("lists what prune and rmi removed, with every digest of the image, by the command history", async () => {
    const [pruned, removed] = [await imported(node(), "pruned", 2), await imported(node(), "removed", 1)];
    const keep = ["--keep", removed.names[0] ?? ""];

    const report = await node().prune([...audited(), ...keep]);
    await node().prunelet(["rmi", removed.names[0] ?? "", ...audited()]);
    const records = await listed();

    expect(records).toEqual([
      expect.objectContaining({
        event: "deleted",
        command: "prune",
        reason: "unused",
        image: pruned.id,
        digests: expect.arrayContaining([pruned.id, pruned.target]),
        names: pruned.names,
        bytes: report.plannedBytes,
      }),
      expect.objectContaining({ event: "deleted", command: "rmi", mode: "requested", image: removed.id }),
    ]);
  });

  test("knows the end of every removal although the process was killed in the middle of them", async () => {
    // So many names that a busy machine is still in time to kill the process before the last one is gone.
    const images = await Promise.all(Array.from({ length: 4 }, (_, i) => imported(node(), `killed-${i}`, 60)));
    await killedInTheMiddle(() => node().start(["prune", "--yes", ...audited()]), path);
    const atTheKill = recordsIn(path);
    const namesAtTheKill = await settledNames(node());

    const result = await node().prunelet(["prune", "--yes", ...audited(), "--keep", "example.org/killed-*:*"]);
    const records = recordsIn(path);

    expect(result.code).toBe(0);
    expect(openNames(atTheKill).length).toBeGreaterThan(0);
    expect(openNames(records)).toEqual([]);
    const gone = new Set(records.flatMap((record) => (record.event === "untagged" ? [record.name] : [])));
    const all = images.flatMap(({ names }) => names);
    expect(all.filter((name) => gone.has(name))).toEqual(all.filter((name) => !namesAtTheKill.includes(name)));
    const deleted = records.flatMap((record) => (record.event === "deleted" ? [record.image] : [])).sort();
    const empty = images.filter(({ names }) => names.every((name) => gone.has(name))).map(({ id }) => id);
    expect(deleted).toEqual(empty.sort());
    await node().prune(audited());
  });

  test("on a full disk stops no removal, is counted, and goes on when there is room", async () => {
    const folder = mountSmall(node().folder.path, `full-${folders}`, "rw");
    fillUp(folder);
    await imported(node(), "while-full", 1);
    const agent = startAgent(node(), { auditFile: join(folder, "audit.jsonl") });
    try {
      const url = await addressOf(agent);
      await waitFor("the image to go", async () => (await node().names()).length === 0);
      await waitFor("the failure to be counted", async () => (await metric(url, "audit_write_failures_total")) > 0);
      makeRoom(folder);
      await imported(node(), "with-room", 1);
      await waitFor("the next image to go", async () => (await node().names()).length === 0);
      await waitFor(
        "its end to be recorded",
        () => recordsIn(join(folder, "audit.jsonl")).filter(isDeleted).length === 2,
      );
    } finally {
      agent.signal("SIGTERM");
    }

    expect((await agent.ended).code).toBe(0);
    expect(agent.stderr().match(/audit not written, removals go on/g)).toHaveLength(1);
    expect(agent.stderr()).toContain("audit written again");
  });

  describe("beside it the state file of the agent", () => {
    test("on a full disk is said once, and the agent goes on", async () => {
      const folder = mountSmall(node().folder.path, `state-full-${folders}`, "rw");
      fillUp(folder);
      await imported(node(), "state-full", 1);
      const stderr = await agentUntilClean(node(), { auditFile: path, stateFile: join(folder, "state.json") });

      expect(stderr.match(/"level":"warn"[^\n]*cannot write the state file .* \(ENOSPC\)/g)).toHaveLength(1);
    });

    test.each([
      [
        "that is corrupt is kept aside",
        "{ half",
        /the state file was corrupt and is now .*state\.json\.corrupt-/,
        true,
      ],
      ["of a newer version is left as it is", '{"version":9}', /written by a newer version of prunelet/, false],
    ])("%s, and the agent goes on", async (_, text, message, aside) => {
      const folder = mountSmall(node().folder.path, `state-${folders}`, "rw");
      writeFileSync(join(folder, "state.json"), text);
      await imported(node(), "state", 1);
      const stderr = await agentUntilClean(node(), { auditFile: path, stateFile: join(folder, "state.json") });

      expect(stderr).toMatch(message);
      const files = readdirSync(folder).filter((name) => readFileSync(join(folder, name), "utf8") === text);
      expect(files).toEqual([aside ? expect.stringMatching(/^state\.json\.corrupt-/) : "state.json"]);
    });
  });
});

interface Imported {
  readonly id: string;
  readonly target: string;
  readonly names: readonly string[];
}

async function imported({ containerd }: E2eNode, word: string, tags: number): Promise<Imported> {
  const image = buildImage({ layers: [buildLayer({ "data/text": `${word}\n` })] });
  const names = Array.from({ length: tags }, (_, i) => `example.org/${word}:${String(i).padStart(2, "0")}`);
  await containerd.import(image, { names });
  return { id: image.config.digest, target: image.manifest.digest, names };
}

/** Starts the process and kills it as soon as it has written that it is about to remove something. */
async function killedInTheMiddle(start: () => RunningPrunelet, path: string): Promise<void> {
  const running = start();
  await waitFor("an intent", () => recordsIn(path).some(({ event }) => event === "intent"), { intervalMs: 0 });
  running.signal("SIGKILL");
  await running.ended;
}

function recordsIn(path: string): AuditRecord[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line) => parseAuditLine(line) ?? []);
  } catch {
    return [];
  }
}

/** Names of intents about which nothing else is written. */
function openNames(records: readonly AuditRecord[]): string[] {
  const intents = records.filter((record): record is AuditRecordOf<"intent"> => record.event === "intent");
  const ends = new Set(
    records.flatMap((record) =>
      record.event === "untagged" || record.event === "left" ? [`${record.id} ${record.name}`] : [],
    ),
  );
  return intents.flatMap(({ id, names }) => names.filter((name) => !ends.has(`${id} ${name}`)));
}

function isDeleted({ event }: AuditRecord): boolean {
  return event === "deleted";
}

interface AgentFiles {
  readonly auditFile: string;
  readonly stateFile?: string;
}

/** Runs an agent until no name is left, checks that it ends well, and returns what it logged. */
async function agentUntilClean(node: E2eNode, files: AgentFiles): Promise<string> {
  const agent = startAgent(node, files);
  try {
    await waitFor("every name to go", async () => (await node.names()).length === 0);
  } finally {
    agent.signal("SIGTERM");
  }
  expect((await agent.ended).code).toBe(0);
  return agent.stderr();
}

function startAgent(node: E2eNode, files: AgentFiles): RunningPrunelet {
  const config = join(node.folder.path, "agent.yaml");
  const stateFile = files.stateFile ?? join(node.folder.path, "state.json");
  writeFileSync(
    config,
    [
      "interval: 300ms",
      "jitter: 0",
      "namespaces: [default]",
      "policy: { unusedFor: 0, minAge: 0 }",
      "pressure: { enabled: false }",
      "http: { listen: '127.0.0.1:0' }",
      `stateFile: ${stateFile}`,
      `audit: { file: ${files.auditFile} }`,
    ].join("\n"),
  );
  return node.start(["run", "--config", config, "--pods", "none", "--audit-file", files.auditFile]);
}

function addressOf(agent: RunningPrunelet): Promise<string> {
  return waitFor("the agent to listen", () => /(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(agent.stderr())?.[1]);
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^prunelet_${name} (\\S+)$`, "m").exec(text)?.[1]);
}
