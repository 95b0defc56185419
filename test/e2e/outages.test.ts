// The daemon dies or hangs: a clear error, an end in time, and the next run finishes the job.
import { writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { describeNodes, type E2eNode, settledNames } from "../support/e2e-node.ts";
import type { PruneReport } from "../support/e2e-report.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { waitFor } from "../support/wait.ts";

/** Milliseconds that a run may take at most when the daemon hangs: in the middle with deadlines of one second, else of ten. */
const endsWithin = 20_000;

describeNodes("a daemon that fails", (node) => {
  afterEach(async () => {
    try {
      node().containerd.resume();
    } catch {
      await node().containerd.restart();
    }
  });

  test("by dying in the middle ends the run with a clear error; the next run finishes", async () => {
    await importTags(node(), "dies", 150);

    const run = startPrune(node(), "dies");
    await removalsOf(run);
    await node().containerd.kill();
    const result = await run.ended;
    await node().containerd.restart();
    const left = await node().names("dies");
    const next = await node().prune(["--namespace", "dies", "--pods", "none"]);

    expect(result.code).toBe(1);
    expect(result.tookMs).toBeLessThan(endsWithin);
    expect(messagesOf(result.json() as PruneReport)).toMatch(
      /stopped or restarted|not available|nobody listens|no socket/,
    );
    expect(left.length).toBeGreaterThan(0);
    expect(next.untagged).toEqual(left);
    expect(next.deleted).toHaveLength(1);
    expect(await node().names("dies")).toEqual([]);
  });

  test("by hanging in the middle ends the run within its deadlines; the next run finishes", async () => {
    await importTags(node(), "hangs", 150);

    const run = startPrune(node(), "hangs");
    await removalsOf(run);
    node().containerd.pause();
    const result = await run.ended;
    node().containerd.resume();
    const left = await settledNames(node(), "hangs");
    const next = await node().prune(["--namespace", "hangs", "--pods", "none"]);

    expect(result.code).toBe(1);
    expect(result.tookMs).toBeLessThan(endsWithin);
    expect(messagesOf(result.json() as PruneReport)).toMatch(/hangs|did not answer/);
    expect(left.length).toBeGreaterThan(0);
    expect(next.untagged).toEqual(left);
    expect(await node().names("hangs")).toEqual([]);
  });

  test("from the beginning is named on stderr, dead or hung", async () => {
    node().containerd.pause();
    const hung = await node().prunelet(["plan", "--pods", "none", "-o", "json"]);
    node().containerd.resume();
    await node().containerd.kill();
    const dead = await node().prunelet(["plan", "--pods", "none", "-o", "json"]);

    expect(hung).toMatchObject({ code: 1, stdout: "" });
    expect(hung.stderr).toMatch(/^prunelet: .*no answer within .* s from .*: the daemon hangs.*\n$/);
    expect(hung.tookMs).toBeLessThan(endsWithin);
    expect(dead).toMatchObject({ code: 1, stdout: "" });
    expect(dead.stderr).toMatch(/^prunelet: .*nobody listens at .*: start containerd.*\n$/);
  });

  test("ends a run that is told to stop in the middle, with the rest left for the next one", async () => {
    await importTags(node(), "stopped", 150);

    // Nothing fails here: a removal may take its time.
    const run = startPrune(node(), "stopped", "20s");
    await removalsOf(run);
    run.signal("SIGTERM");
    const result = await run.ended;
    const left = await node().names("stopped");
    const next = await node().prune(["--namespace", "stopped", "--pods", "none"]);

    const report = result.json() as PruneReport;
    expect(result.code).toBe(1);
    expect(report.failed).toEqual([]);
    expect(report.leftAlone.map(({ name }) => name)).toEqual(left);
    expect(next.untagged).toEqual(left);
  });
});

/** One image under many names: removing them takes long enough for something to happen. */
async function importTags({ containerd }: E2eNode, namespace: string, count: number): Promise<void> {
  const image = buildImage({ layers: [buildLayer({ "data/text": namespace })] });
  const names = Array.from({ length: count }, (_, i) => `example.org/${namespace}:${String(i).padStart(3, "0")}`);
  await containerd.import(image, { namespace, names, unpack: false });
}

function startPrune(node: E2eNode, namespace: string, callTimeout = "1s") {
  const config = `${node.folder.path}/config.yaml`;
  const act = `act: { callTimeout: ${callTimeout}, concurrency: 1 }`;
  writeFileSync(config, `${act}\npolicy: { unusedFor: '0', minAge: '0' }\n`);
  const flags = ["--config", config, "--log-level", "debug", "-o", "json", "--namespace", namespace, "--pods", "none"];
  return node.start(["prune", "--yes", ...flags]);
}

/** Waits until the run has removed its first names. */
async function removalsOf(run: ReturnType<typeof startPrune>): Promise<void> {
  await waitFor("the first removal", () => run.stderr().includes('"untagged"') || run.hasEnded(), { intervalMs: 1 });
}

function messagesOf({ failed, leftAlone }: PruneReport): string {
  return [...failed, ...leftAlone].map(({ message }) => message).join("\n");
}
