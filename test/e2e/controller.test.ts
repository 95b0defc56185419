// The agent on a node: readiness, rounds, metrics, outages of the API server and of the daemon, a quick end.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { type CriNode, describeCriNodes } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import type { RunningPrunelet } from "../support/prunelet.ts";
import { waitFor } from "../support/wait.ts";

describeCriNodes("the agent", (node) => {
  let api: ApiServer;
  let agent: RunningPrunelet | undefined;

  beforeEach(async () => {
    api = await startApiServer({ bookmarkEveryMs: 100 });
  });
  afterEach(async () => {
    agent?.signal("SIGKILL");
    await agent?.ended;
    await api.close();
  });

  test("becomes ready, removes what no pod needs, counts it, and ends within seconds when told to", async () => {
    const [needed, spare] = [await pulled(node(), "needed"), await pulled(node(), "spare")];
    api.setPods([wirePod("needed", { images: [needed.name] })]);

    agent = startAgent(node(), api);
    const url = await addressOf(agent);
    await waitFor("/readyz to be 200", async () => (await fetch(`${url}/readyz`)).status === 200);
    await waitFor("the spare image to go", async () => !(await node().names("k8s.io")).includes(spare.name));
    await waitFor("the metrics to tell", async () => (await metric(url, "images_deleted_total")) === 1);
    const health = await fetch(`${url}/healthz`);
    const counted = await Promise.all(
      ["names_untagged_total", "reclaimed_bytes_total", "pods_synced", "removal_failures_total"].map((name) =>
        metric(url, name),
      ),
    );
    const beforeEnd = performance.now();
    agent.signal("SIGTERM");
    const { code } = await agent.ended;

    expect(health.status).toBe(200);
    expect(counted).toEqual([3, expect.any(Number), 1, 0]);
    expect(counted[1]).toBeGreaterThan(1_000);
    expect(code).toBe(0);
    expect(performance.now() - beforeEnd).toBeLessThan(5_000);
    expect(await node().names("k8s.io")).toContain(needed.name);
  });

  test("skips rounds and removes nothing while the API server is away, and goes on when it is back", async () => {
    agent = startAgent(node(), api);
    const url = await addressOf(agent);
    await waitFor("/readyz to be 200", async () => (await fetch(`${url}/readyz`)).status === 200);

    api.fail({ kind: "reset" });
    api.breakWatch();
    await waitFor("/readyz to be 503", async () => (await fetch(`${url}/readyz`)).status === 503, {
      timeoutMs: 20_000,
    });
    const image = await pulled(node(), "while-away");
    const skipped = await metric(url, "skipped_reconciles_total");
    await waitFor(
      "two more rounds to be skipped",
      async () => (await metric(url, "skipped_reconciles_total")) >= skipped + 2,
    );
    const namesMeanwhile = await node().names("k8s.io");
    const synced = await metric(url, "pods_synced");
    api.heal();
    await waitFor("the image to go", async () => !(await node().names("k8s.io")).includes(image.name), {
      timeoutMs: 60_000,
    });

    expect(namesMeanwhile).toContain(image.name);
    expect(synced).toBe(0);
    expect(agent.hasEnded()).toBe(false);
  });

  test("outlives an outage of the daemon and goes on when it is back", async () => {
    agent = startAgent(node(), api);
    const url = await addressOf(agent);
    await waitFor("/readyz to be 200", async () => (await fetch(`${url}/readyz`)).status === 200);

    await node().containerd.kill();
    await waitFor("a round to fail", async () => (await metric(url, "reconciles_total", 'result="failed"')) >= 1);
    await node().containerd.restart();
    const done = await metric(url, "reconciles_total", 'result="done"');
    await waitFor("a round to succeed", async () => (await metric(url, "reconciles_total", 'result="done"')) > done, {
      timeoutMs: 30_000,
    });
    agent.signal("SIGTERM");

    expect((await agent.ended).code).toBe(0);
  });

  test("ends within seconds while the daemon hangs", async () => {
    agent = startAgent(node(), api);
    const url = await addressOf(agent);
    await waitFor("/readyz to be 200", async () => (await fetch(`${url}/readyz`)).status === 200);

    node().containerd.pause();
    try {
      const beforeEnd = performance.now();
      agent.signal("SIGTERM");
      const { code } = await agent.ended;

      expect(code).toBe(0);
      expect(performance.now() - beforeEnd).toBeLessThan(12_000);
    } finally {
      node().containerd.resume();
    }
  });
});

function startAgent(node: CriNode, api: ApiServer): RunningPrunelet {
  const config = join(node.folder.path, "agent.yaml");
  writeFileSync(
    config,
    [
      "interval: 500ms",
      "jitter: 0",
      "pods: { staleAfter: 5s, nodeName: node-1 }",
      "policy: { unusedFor: '0', minAge: '0' }",
      "http: { listen: '127.0.0.1:0' }",
      `stateFile: ${join(node.folder.path, "state.json")}`,
    ].join("\n"),
  );
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

/** The sum of a metric's series, of those that hold `labels`; 0 when there is none. */
async function metric(url: string, name: string, labels = ""): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const rows = text.split("\n").filter((row) => new RegExp(`^prunelet_${name}[{ ]`).test(row) && row.includes(labels));
  return rows.reduce((sum, row) => sum + Number(row.split(" ").at(-1)), 0);
}

let images = 0;

/** A new image, pushed and pulled through CRI. */
async function pulled({ registry, cri }: CriNode, label: string): Promise<{ readonly name: string }> {
  images += 1;
  const repository = `agent/${label}-${images}`;
  const image = busyboxImage({ layers: [buildLayer({ "etc/label": repository })] });
  await pushImage(image, { registry: registry.url, repository, tags: ["1"] });
  await cri.pull(`${registry.host}/${repository}:1`);
  return { name: `${registry.host}/${repository}:1` };
}
