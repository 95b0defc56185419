// The audit of rounds and requests on an embedded node: an intent before every removal, an end for every intent, also after a crash.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NameOutcome } from "../../src/act/outcome.ts";
import { removeReferences } from "../../src/act/remove.ts";
import type { ImageVerdict } from "../../src/decide/plan.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { type Audit, openAudit } from "../../src/report/audit.ts";
import { type AuditRecord, parseAuditLine } from "../../src/report/audit-record.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { type PlannedNode, planOn } from "../support/executed-round.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createFakePods } from "../support/fake-pods.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";

const [app, used] = [imageOf("app"), imageOf("used")];
const names = [
  nameOf("r.example/app:1", app.target),
  nameOf(`r.example/app@${app.target}`, app.target),
  nameOf("r.example/used:1", used.target),
  nameOf("r.example/used:0", used.target),
];
const containers = [containerOf("c", { image: "r.example/used:1", imageId: used.id })];
const node = nodeOf({ namespaces: [namespaceOf("default", { names, images: [app, used], containers })] });

describe("the audit", () => {
  let folder: TempFolder;
  let path: string;

  beforeEach(() => {
    folder = createTempFolder();
    path = join(folder.path, "audit.jsonl");
  });

  afterEach(() => {
    folder.remove();
  });

  const records = (): AuditRecord[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line) => parseAuditLine(line) ?? []);
  const told = () => records().map((record) => `${record.event} ${"name" in record ? record.name : ""}`.trim());

  it("has the intents on disk before a name goes, then a line for each name, for the image and for the whole", async () => {
    const { audit } = open();
    const planned = await planOn(node);
    const seenBefore: string[][] = [];
    planned.runtime.beforeNext("removeName", () => void seenBefore.push(told()));

    await carryOut(planned, audit);

    expect(seenBefore).toEqual([["intent", "intent"]]);
    expect(told()).toEqual([
      "intent",
      "intent",
      "untagged r.example/app:1",
      `untagged r.example/app@${app.target}`,
      "deleted",
      "untagged r.example/used:0",
      "freed",
    ]);
  });

  it("tells of each line when, where, which digests, how many bytes, why and by whom", async () => {
    const { audit } = open();
    const planned = await planOn(node);

    await carryOut(planned, audit);

    const deleted = records().find(({ event }) => event === "deleted");
    const time = new Date(node.takenAt).toISOString();
    expect(deleted).toEqual({
      event: "deleted",
      time,
      node: "node-1",
      runtime: "embedded",
      command: "run",
      id: expect.any(String),
      namespace: "default",
      mode: "routine",
      reason: "unused",
      image: app.id,
      target: app.target,
      digests: app.digests,
      // Nothing was ever seen to use it, and its first sight is no use.
      lastUsed: null,
      names: ["r.example/app:1", `r.example/app@${app.target}`],
      bytes: 3300,
      aloneBytes: 3300,
    });
    expect(records().find((record) => "image" in record && record.image === used.id)).toMatchObject({ lastUsed: time });
    expect(records().find(({ event }) => event === "freed")).toMatchObject({ bytes: 3300, plannedBytes: 3300 });
  });

  it("says of a name that was not removed after all why it is left, and does not say that its image is gone", async () => {
    const { audit } = open();
    const planned = await planOn(node);
    planned.runtime.beforeNext("removeName", () => {
      throw new RuntimeError("conflict", "remove", "it is locked");
    });

    await carryOut(planned, audit);

    const left = records().filter((record) => record.event === "left");
    expect(left.map(({ result, message }) => `${result}: ${message}`)).toEqual([
      "conflict: remove: it is locked",
      expect.stringMatching(/^skipped: /),
    ]);
    expect(told()).not.toContain("deleted");
  });

  it("closes what a crash left open by what the node shows then", async () => {
    const before = open();
    const { plan } = await planOn(node);
    before.audit.sink({ kind: "planned", state: node, plan, filesystems: [] });
    await before.audit.announce(plan.images);
    const after = withoutNames(node, ["r.example/app:1", `r.example/app@${app.target}`]);

    const { audit, events } = open();
    audit.sink({ kind: "planned", state: after, plan: (await planOn(after)).plan, filesystems: [] });
    await waitFor("the audit to be settled", () => events.some(({ kind }) => kind === "audit-resolved"));

    expect(told().slice(2)).toEqual([
      "untagged r.example/app:1",
      `untagged r.example/app@${app.target}`,
      "deleted",
      "left r.example/used:0",
    ]);
    expect(
      records()
        .slice(2)
        .every((record) => "recovered" in record && record.recovered === true),
    ).toBe(true);
    expect(events.at(-1)).toEqual({ kind: "audit-resolved", names: 3, gone: 2 });
  });

  it("says of an image only that it is gone when its names' lines made it and its own did not", async () => {
    const { audit } = open();
    await carryOut(await planOn(node), audit);
    const whole = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, whole.slice(0, 4).join("\n"));
    const gone = withoutNames(node, ["r.example/app:1", `r.example/app@${app.target}`]);

    await settled(gone);

    expect(told().slice(4)).toEqual(["deleted", "left r.example/used:0"]);
  });

  it("has the line of a name soon after it went, while the removal goes on", async () => {
    const { audit, clock } = open();
    const planned = await planOn(node);
    audit.sink({ kind: "planned", state: node, plan: planned.plan, filesystems: [] });
    await audit.announce(planned.plan.images);

    const outcome = { namespace: "default", name: "r.example/app:1", target: app.target, reason: "unused" } as const;
    audit.sink({ kind: "name-done", outcome: { ...outcome, result: { kind: "removed" }, seconds: 0 } });
    await waitFor("the line to wait for its time", () => clock.sleeps.includes(250));
    const before = told();
    clock.advance(250);

    await waitFor("the line", () => told().length > before.length);
    expect(before).toEqual(["intent", "intent"]);
    expect(told().at(-1)).toBe("untagged r.example/app:1");
  });

  it("finds nothing to close twice", async () => {
    const { plan } = await planOn(node);
    const { audit } = open();
    audit.sink({ kind: "planned", state: node, plan, filesystems: [] });
    await audit.announce(plan.images);
    await settled(node);
    const before = told();

    const events = await settled(node);

    expect(told()).toEqual(before);
    expect(events).toEqual([]);
  });

  it("leaves the intents of a process that still runs to it", async () => {
    const { plan } = await planOn(node);
    const { audit } = open({ pid: 4711 });
    audit.sink({ kind: "planned", state: node, plan, filesystems: [] });
    await audit.announce(plan.images);

    await settled(node, { isAlive: (pid) => pid === 4711 });

    expect(told()).toEqual(["intent", "intent"]);
  });

  it("that cannot be written stops no removal, and has everything when it can be", async () => {
    mkdirSync(path);
    const { audit, events } = open();
    const planned = await planOn(node);
    const outcome = await carryOut(planned, audit);
    rmdirSync(path);

    await audit.close();

    expect(outcome.deleted.map(({ id }) => id)).toEqual([app.id]);
    expect(events.filter((event) => event.kind === "audit-failed" && event.first)).toHaveLength(1);
    expect(told().filter((line) => line === "deleted" || line === "intent")).toEqual(["intent", "intent", "deleted"]);
  });

  it("says that an image is gone when the runtime took it whole, although one of its names had moved", async () => {
    const { audit } = open();
    const { plan } = await planOn(node);
    const verdict = plan.images.find(({ action }) => action === "delete") as ImageVerdict;
    const { id, target } = verdict.image;
    audit.sink({ kind: "planned", state: node, plan, filesystems: [] });
    await audit.announce([verdict]);
    const outcomes = verdict.names.map(({ name }, i): NameOutcome => {
      const result = { kind: i === 0 ? "moved" : "removed" } as const;
      return { namespace: "default", name, target, reason: "unused", result, seconds: 0 };
    });
    for (const outcome of outcomes) audit.sink({ kind: "name-done", outcome });
    const deleted = [{ namespace: "default", id, target, reason: "unused" } as const];
    audit.sink({
      kind: "round-done",
      at: 0,
      seconds: 1,
      plan,
      outcome: { names: outcomes, deleted, reclaimedBytes: 1 },
    });
    await audit.close();

    expect(told().map((line) => line.split(" ")[0])).toEqual(["intent", "left", "untagged", "deleted", "freed"]);
  });

  it("tells what a person asked for by reference", async () => {
    const { audit } = open({ command: "rmi" });
    const runtime = createEmbeddedRuntime(node);

    const outcome = await removeReferences({
      runtime,
      pods: createFakePods([]),
      clock: createFakeClock(node.takenAt),
      state: node,
      namespaces: undefined,
      references: ["r.example/app:1", "r.example/used:0", "nothing:1"],
      force: false,
      noPrune: false,
      origin: "live",
      callTimeoutMs: 1_000,
      beforeRemoval: audit.beforeRequest,
      onReference: (done) => audit.sink({ kind: "reference-done", outcome: done }),
    });
    audit.sink({ kind: "references-done", outcome });
    await audit.close();

    expect(records().map((record) => `${record.event} ${"mode" in record ? record.mode : ""}`.trim())).toEqual([
      "intent requested",
      ...(outcome.references[0]?.names.map(() => "untagged requested") ?? []),
      "deleted requested",
      "intent requested",
      "untagged requested",
      "freed",
    ]);
  });

  async function settled(state: NodeState, more: Parameters<typeof open>[0] = {}): Promise<readonly ReportEvent[]> {
    const { audit, events } = open({ pid: 12, ...more });
    audit.sink({ kind: "planned", state, plan: (await planOn(state)).plan, filesystems: [] });
    // Lines wait for the settling, also when it finds nothing.
    await audit.close();
    return events;
  }

  interface More {
    readonly pid?: number;
    readonly command?: "run" | "rmi";
    readonly isAlive?: (pid: number) => boolean;
  }

  function open({ pid = 1, command = "run", isAlive = () => false }: More = {}) {
    const events: ReportEvent[] = [];
    const clock = createFakeClock(node.takenAt);
    const audit = openAudit({
      origin: { node: "node-1", command, pid },
      clock,
      settings: () => ({ file: path, maxSize: 10 ** 7, keep: 1 }),
      report: (event) => events.push(event),
      isAlive,
    });
    return { audit, events, clock };
  }
});

async function carryOut(planned: PlannedNode, audit: Audit) {
  audit.sink({ kind: "planned", state: node, plan: planned.plan, filesystems: [] });
  const outcome = await planned.run({
    announce: audit.announce,
    onName: (one) => audit.sink({ kind: "name-done", outcome: one }),
  });
  audit.sink({ kind: "round-done", at: node.takenAt, seconds: 1, plan: planned.plan, outcome });
  await audit.close();
  return outcome;
}

function withoutNames(state: NodeState, gone: readonly string[]): NodeState {
  const namespaces = state.namespaces.map((one) => ({
    ...one,
    names: one.names.filter(({ name }) => !gone.includes(name)),
  }));
  return { ...state, namespaces };
}
