// Resident memory of the controller: at rest on a node with many images, and while it removes all of them.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "../test/support/api-server/api-server.ts";
import { wirePod } from "../test/support/api-server/pod.ts";
import { waitFor } from "../test/support/wait.ts";
import { type BenchContext, type Benchmark, type Figure, medianFigure } from "./benchmark.ts";
import { forgetPeak, memoryOf } from "./process-usage.ts";
import { connectionArguments, imageEnvironment, imageFlags } from "./prunelet.ts";
import type { FilledNode } from "./store/filled-node.ts";
import { namespace } from "./store/wire.ts";

const nodeName = "node-1";
const podCount = 100;

export const memory: Benchmark = {
  name: "memory",
  title: "Memory of `prunelet run`",
  run(context) {
    return context.nodes.with(context.quick ? 200 : 1_000, (node) => measure(node, context));
  },
};

async function measure(node: FilledNode, context: BenchContext): Promise<readonly Figure[]> {
  const { daemon, images } = node;
  const api = await startApiServer({ bookmarkEveryMs: 5_000 });
  api.setPods(Array.from({ length: podCount }, (_, i) => wirePod(`pod-${i}`, { node: nodeName })));
  const idleSeconds = context.quick ? 10 : 60;
  const kubeconfig = api.writeKubeconfig(join(daemon.state, "kubeconfig"));
  // The images become removable between the first round and the second.
  const pace = ["--interval", `${idleSeconds + 10}s`, "--unused-for", `${idleSeconds + 5}s`, "--min-age", "0"];
  const access = ["--pods", "kubernetes", "--kubeconfig", kubeconfig, "--node-name", nodeName];
  const args = ["run", "--listen", "127.0.0.1:0", ...pace, ...access, ...connectionArguments(daemon)];
  const child = spawn(process.execPath, [...imageFlags, context.program, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...imageEnvironment, PRUNELET_JITTER: "0", PRUNELET_LOG_LEVEL: "warn" },
  });
  try {
    const pid = child.pid ?? 0;
    await waitFor("the first round", () => api.watchers > 0, { timeoutMs: 30_000 });
    const resident = await restingMemory(pid, idleSeconds);
    const firstPeak = memoryOf(pid)?.peak ?? Number.NaN;
    forgetPeak(pid);
    const namesLeft = async () => (await daemon.ctr("-n", namespace, "images", "ls", "-q")).stdout.trim();
    await waitFor("all images to go", async () => (await namesLeft()) === "", { timeoutMs: 120_000, intervalMs: 500 });
    await sleep(2_000);
    const after = memoryOf(pid);
    return [
      medianFigure(`${images.length} images, ${podCount} pods: idle`, "MiB", resident, { target: 100 }),
      { what: "peak of start and first round", unit: "MiB", value: firstPeak, target: 128 },
      { what: "peak while removing all of them", unit: "MiB", value: after?.peak ?? Number.NaN, target: 128 },
      { what: "after the removal", unit: "MiB", value: after?.resident ?? Number.NaN },
    ];
  } finally {
    await end(child);
    await api.close();
  }
}

/** Looks once a second during the last ten seconds of the rest. */
async function restingMemory(pid: number, seconds: number): Promise<readonly number[]> {
  await sleep(Math.max(0, seconds - 10) * 1_000);
  const looks: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    await sleep(1_000);
    looks.push(memoryOf(pid)?.resident ?? Number.NaN);
  }
  return looks;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await waitFor("prunelet to end", () => child.exitCode !== null || child.signalCode !== null, { timeoutMs: 20_000 });
}
