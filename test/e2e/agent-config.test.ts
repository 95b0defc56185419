// The agent on a node while its configuration and the labels of its node change, and what it tells as events on the node.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "../support/api-server/api-server.ts";
import { wireNode } from "../support/api-server/node.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { type CriNode, describeCriNodes } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import type { RunningPrunelet } from "../support/prunelet.ts";
import { waitFor } from "../support/wait.ts";

const removeNothing = "policy: { unusedFor: 1h, minAge: '0' }";
const removeUnused = "policy: { unusedFor: '0', minAge: '0' }";
const quietPool = "nodePools: [{ name: quiet, match: { pool: quiet }, enabled: false }]";

describeCriNodes("the agent's configuration", (node) => {
  let api: ApiServer;
  let agent: RunningPrunelet | undefined;

  beforeEach(async () => {
    api = await startApiServer({ bookmarkEveryMs: 100 });
    api.setPods([wirePod("needed")]);
  });
  afterEach(async () => {
    agent?.signal("SIGKILL");
    await agent?.ended;
    await api.close();
  });

  test("is refused when it is wrong, with a log line, a metric and an event, and taken over when it is right", async () => {
    const image = await pulled(node(), "reload");
    agent = startAgent(node(), api, removeNothing);
    const url = await addressOf(agent);
    await waitFor("/readyz to be 200", async () => (await statusOf(url)) === 200);

    configure(node(), "interval: soon");
    await waitFor("the refusal", async () => (await metric(url, "config_last_reload_successful")) === 0);
    await waitFor("its event", () => api.events.some(({ reason }) => reason === "ConfigurationRefused"));
    const refused = await metric(url, "config_reloads_total", 'result="refused"');
    const meanwhile = [await statusOf(url), (await node().names("k8s.io")).includes(image)];
    configure(node(), removeUnused);
    await waitFor("the image to go", async () => !(await node().names("k8s.io")).includes(image));
    await waitFor("its event", () => api.events.some(({ reason }) => reason === "ImagesRemoved"));

    expect(refused).toBe(1);
    expect(meanwhile).toEqual([200, true]);
    expect(agent.stderr()).toMatch(/interval is .*soon.*configuration refused/);
    expect(await metric(url, "config_last_reload_successful")).toBe(1);
    expect(api.events.map(({ type, reason, message }) => [type, reason, message])).toEqual([
      ["Warning", "ConfigurationRefused", expect.stringContaining('interval is "soon"')],
      ["Normal", "ConfigurationLoaded", expect.stringContaining("policy.unusedFor")],
      ["Normal", "ImagesRemoved", expect.stringMatching(/^removed 1 image and 3 names, .* freed$/)],
    ]);
  });

  test("leaves a node alone by its labels, and looks after it when they change", async () => {
    const image = await pulled(node(), "pool");
    api.setNode(wireNode({ pool: "quiet" }));
    agent = startAgent(node(), api, removeUnused, quietPool);
    const url = await addressOf(agent);
    const disabled = () => metric(url, "skipped_reconciles_total", 'reason="disabled"');
    await waitFor("two rounds", async () => (await disabled()) >= 2);
    const meanwhile = [await statusOf(url), (await node().names("k8s.io")).includes(image)];

    api.setNode(wireNode({}));
    await waitFor("the image to go", async () => !(await node().names("k8s.io")).includes(image));

    expect(meanwhile).toEqual([200, true]);
    await waitFor("the events", () => api.events.length === 2);
    expect(api.events.map(({ reason }) => reason)).toEqual(["RoundSkipped", "ImagesRemoved"]);
  });

  test("holds everything back, is not ready and says so while the node is not known", async () => {
    api.fail({ kind: "status", code: 403, message: "nodes is forbidden" }, "get", "nodes");
    agent = startAgent(node(), api, removeUnused, quietPool);
    const url = await addressOf(agent);
    const image = await pulled(node(), "unknown");
    const unknown = () => metric(url, "skipped_reconciles_total", 'reason="node-unknown"');
    // The first round waits ten seconds for the labels.
    await waitFor("two rounds", async () => (await unknown()) >= 2, { timeoutMs: 30_000 });
    await waitFor("the event", () => api.events.some(({ message }) => message.includes("403")));
    const meanwhile = [await statusOf(url), (await node().names("k8s.io")).includes(image)];

    api.setNode(wireNode({}));
    api.heal();
    await waitFor("the image to go", async () => !(await node().names("k8s.io")).includes(image), {
      timeoutMs: 60_000,
    });
    await waitFor("/readyz to be 200", async () => (await statusOf(url)) === 200);
    api.setNode(undefined);
    await waitFor("/readyz to be 503", async () => (await statusOf(url)) === 503);

    expect(meanwhile).toEqual([503, true]);
    expect(agent.stderr()).toMatch(/grant \\?"get\\?" on nodes to prunelet's service account/);
    expect(agent.hasEnded()).toBe(false);
  });
});

function configure(node: CriNode, ...lines: readonly string[]): string {
  const path = join(node.folder.path, "agent.yaml");
  const common = [
    "jitter: 0",
    "pods: { staleAfter: 5s, nodeName: node-1 }",
    "http: { listen: '127.0.0.1:0' }",
    `stateFile: ${join(node.folder.path, "state.json")}`,
  ];
  const interval = lines.some((line) => line.startsWith("interval")) ? [] : ["interval: 500ms"];
  // Whole, so that the agent never reads an empty file.
  writeFileSync(`${path}.new`, [...common, ...interval, ...lines].join("\n"));
  renameSync(`${path}.new`, path);
  return path;
}

function startAgent(node: CriNode, api: ApiServer, ...lines: readonly string[]): RunningPrunelet {
  const config = configure(node, ...lines);
  const kubeconfig = api.writeKubeconfig(join(node.folder.path, "agent-kubeconfig"));
  return node.start(["run", "--config", config, "--kubeconfig", kubeconfig], { timeoutMs: 170_000 });
}

/** Where it serves, as its log tells. */
function addressOf(agent: RunningPrunelet): Promise<string> {
  return waitFor("the agent to listen", () => {
    if (agent.hasEnded()) throw new Error(`the agent ended: ${agent.stderr()}`);
    return /(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(agent.stderr())?.[1];
  });
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

/** The sum of a metric's series, of those that hold `labels`; 0 when there is none. */
async function metric(url: string, name: string, labels = ""): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const rows = text.split("\n").filter((row) => new RegExp(`^prunelet_${name}[{ ]`).test(row) && row.includes(labels));
  return rows.reduce((sum, row) => sum + Number(row.split(" ").at(-1)), 0);
}

/** A new image, pushed and pulled through CRI; returns its name. */
async function pulled({ registry, cri }: CriNode, label: string): Promise<string> {
  const repository = `agent-config/${label}`;
  const image = busyboxImage({ layers: [buildLayer({ "etc/label": repository })] });
  await pushImage(image, { registry: registry.url, repository, tags: ["1"] });
  await cri.pull(`${registry.host}/${repository}:1`);
  return `${registry.host}/${repository}:1`;
}
