// The settings of a running agent: a changed file, SIGHUP, the labels of the node, and an API server that does not tell them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type AgentSettings, createAgentSettings } from "../../src/cli/agent-settings.ts";
import { watchNode } from "../../src/kubernetes/node.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { connectTo, serve } from "../kubernetes/harness.ts";
import type { ApiServer } from "../support/api-server/api-server.ts";
import { wireNode } from "../support/api-server/node.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";

const pools = `
interval: 1m
nodePools:
  - { name: quiet, match: { pool: quiet }, enabled: false }
  - { name: ci, match: { pool: ci }, interval: 2m, policy: { keep: [base] } }
`;

let folder: TempFolder;
let file: string;

beforeEach(() => {
  folder = createTempFolder();
  file = join(folder.path, "config.yaml");
});

afterEach(() => {
  folder.remove();
});

interface Following {
  readonly settings: AgentSettings;
  readonly reports: ReportEvent[];
  changes(): number;
}

async function follow(text: string, server?: ApiServer): Promise<Following> {
  writeFileSync(file, text);
  const settings = createAgentSettings({ file, env: {}, flags: {} });
  onTestFinished(() => settings.stop());
  const reports: ReportEvent[] = [];
  let changes = 0;
  const connection = server === undefined ? undefined : await connectTo(server.url);
  const backoff = { baseMs: 10, capMs: 40 };
  settings.start({
    report: (event) => reports.push(event),
    watchNode: connection && (() => watchNode({ connection, nodeName: "node-1", backoff })),
    onChange: () => {
      changes += 1;
    },
  });
  return { settings, reports, changes: () => changes };
}

describe("a changed file", () => {
  it("is not missed when it changes before the agent begins to follow it", async () => {
    writeFileSync(file, "enabled: true\n");
    const settings = createAgentSettings({ file, env: {}, flags: {} });
    onTestFinished(() => settings.stop());
    const reports: ReportEvent[] = [];

    writeFileSync(file, "enabled: false\n");
    settings.start({ report: (event) => reports.push(event), watchNode: undefined, onChange: () => undefined });

    expect(settings.config.current().config.enabled).toBe(false);
    expect(reports).toMatchObject([{ kind: "config-reloaded", result: "loaded" }]);
  });

  it("holds from the next round on, and is reported", async () => {
    const { settings, reports, changes } = await follow("interval: 1m\n");

    writeFileSync(file, "interval: 2m\nstateFile: /elsewhere\n");
    await waitFor("the change", () => changes() > 0);

    expect(settings.loop().interval).toBe(120_000);
    const message = "changed: interval; needs a restart of the agent: stateFile";
    expect(reports).toEqual([{ kind: "config-reloaded", result: "loaded", message }]);
  });

  it("that is wrong is reported with every problem, and what held holds on", async () => {
    const { settings, reports } = await follow("interval: 1m\n");

    writeFileSync(file, "interval: soon\nact: {concurrency: 0}\n");
    await waitFor("the refusal", () => reports.length > 0);

    expect(settings.loop().interval).toBe(60_000);
    expect(reports).toMatchObject([{ kind: "config-reloaded", result: "refused" }]);
    expect(reports[0]).toMatchObject({ message: expect.stringMatching(/interval is "soon".*act\.concurrency/) });
  });

  it("is read at once on SIGHUP, which is answered even when nothing changed", async () => {
    const { settings, reports } = await follow("interval: 1m\n");

    process.emit("SIGHUP");
    writeFileSync(file, "interval: 2m\n");
    process.emit("SIGHUP");

    expect(settings.loop().interval).toBe(120_000);
    expect(reports).toMatchObject(
      [{ message: /nothing changed/ }, { message: "changed: interval" }].map((one) => ({
        message: expect.stringMatching(one.message),
      })),
    );
  });
});

describe("node pools", () => {
  it("hold nothing back and ask nobody when there are none", async () => {
    const server = await serve();

    const { settings } = await follow("interval: 1m\n", server);

    expect(settings.loop().hold).toBeUndefined();
    expect(server.requests).toEqual([]);
  });

  it("follow the labels of the node while the agent runs", async () => {
    const server = await serve();
    server.setNode(wireNode({ pool: "web" }));
    const { settings, reports } = await follow(pools, server);
    const before = settings.loop().hold;
    await waitFor("the labels", () => settings.loop().hold === undefined);
    const web = settings.loop().interval;

    await waitFor("the watch", () => server.watchers === 1);
    server.setNode(wireNode({ pool: "ci" }));
    await waitFor("pool ci", () => settings.loop().interval === 120_000);
    server.setNode(wireNode({ pool: "quiet" }));
    await waitFor("pool quiet", () => settings.loop().hold);
    const quiet = settings.loop().hold;
    server.setNode(wireNode({}));
    await waitFor("no pool", () => settings.loop().hold === undefined);

    expect(before).toMatchObject({ reason: "node-unknown" });
    expect(web).toBe(60_000);
    expect(quiet).toMatchObject({ reason: "disabled", message: expect.stringContaining("node pool quiet") });
    expect(reports.map((report) => ("message" in report ? report.message : ""))).toEqual([
      "the node belongs to node pool ci",
      "the node belongs to node pool quiet",
      "the node belongs to no node pool",
    ]);
  });

  it("that come with a changed file begin to follow the node, and hold rounds back until it is known", async () => {
    const server = await serve();
    server.setNode(wireNode({ pool: "ci" }));
    const { settings } = await follow("interval: 1m\n", server);

    writeFileSync(file, pools);
    process.emit("SIGHUP");
    const atOnce = settings.loop().hold;
    await waitFor("pool ci", () => settings.loop().interval === 120_000);

    expect(atOnce).toMatchObject({ reason: "node-unknown" });
    expect(settings.loop().hold).toBeUndefined();
  });

  it("hold every round back once the node object disappears", async () => {
    const server = await serve();
    server.setNode(wireNode({ pool: "ci" }));
    const { settings, changes } = await follow(pools, server);
    await waitFor("the labels", () => settings.loop().hold === undefined);
    await waitFor("the watch", () => server.watchers === 1);
    const before = changes();

    server.setNode(undefined);
    const hold = await waitFor("the hold", () => settings.loop().hold);

    expect(hold).toMatchObject({ reason: "node-unknown", message: expect.stringContaining("knows no node node-1") });
    expect(changes()).toBeGreaterThan(before);
  });

  it.each([401, 403, 429, 500])("hold every round back while the API server answers %d", async (code) => {
    const server = await serve();
    server.fail({ kind: "status", code });
    const { settings } = await follow(pools, server);

    const hold = await waitFor("the answer", () => {
      const found = settings.loop().hold;
      return found?.message.includes(String(code)) ? found : undefined;
    });

    expect(hold.reason).toBe("node-unknown");
  });

  it("do nothing without Kubernetes but say so", async () => {
    const { settings, reports } = await follow(pools);

    expect(settings.loop()).toMatchObject({ interval: 60_000, hold: undefined });
    expect(reports).toMatchObject([{ level: "warn", message: expect.stringContaining("no pool holds") }]);
  });
});
