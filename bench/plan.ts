// Looking at a large node and deciding, in this process, as the controller does it round after round.
import { emptyHistory } from "../src/decide/history.ts";
import { needsOf } from "../src/decide/needs.ts";
import { makePlan } from "../src/decide/plan.ts";
import { removeAllUnused } from "../src/decide/policy.ts";
import type { PodSource } from "../src/kubernetes/pod-source.ts";
import { systemClock } from "../src/observe/clock.ts";
import { observeNode } from "../src/observe/observe-node.ts";
import { connectContainerd } from "../src/runtime/containerd/containerd-runtime.ts";
import { type BenchContext, type Benchmark, type Figure, medianFigure } from "./benchmark.ts";
import { podsOf } from "./node-state.ts";
import { cpuSeconds } from "./process-usage.ts";
import { type FilledNode, untilQuiet } from "./store/filled-node.ts";
import { namespace } from "./store/wire.ts";
import { writeContainers } from "./store/write-containers.ts";

export const plan: Benchmark = {
  name: "plan",
  title: "Planning (observe and decide)",
  run(context) {
    const [count, containers] = context.quick ? [200, 50] : [5_000, 1_000];
    return context.nodes.with(count, async (node) => {
      await writeContainers(node.daemon, node.images, containers);
      await untilQuiet(node.daemon);
      return measure(node, containers, context);
    });
  },
};

const rules = { history: emptyHistory("record-time"), policy: removeAllUnused };

interface Round {
  readonly observe: number;
  readonly decide: number;
  readonly daemonCpu: number;
  readonly calls: number;
}

async function measure({ daemon, images }: FilledNode, containers: number, context: BenchContext): Promise<Figure[]> {
  let calls = 0;
  const onCall = (): void => {
    calls += 1;
  };
  const runtime = connectContainerd({ endpoint: daemon.endpoint, namespaces: [namespace], onCall });
  const pods = fixedPods(
    images.map((image) => image.names[0] ?? ""),
    containers,
  );
  const look = async (): Promise<Round> => {
    calls = 0;
    const cpuBefore = cpuSeconds(daemon.pid());
    const startedAt = performance.now();
    const seen = await observeNode({ runtime, pods, clock: systemClock }, needsOf(rules));
    const observedAt = performance.now();
    if (seen.kind === "refused") throw new Error(seen.message);
    const made = makePlan({ state: seen.state, ...rules });
    const decidedAt = performance.now();
    if (made.images.length !== images.length) throw new Error(`the plan has ${made.images.length} images`);
    const daemonCpu = cpuSeconds(daemon.pid()) - cpuBefore;
    return { observe: (observedAt - startedAt) / 1000, decide: (decidedAt - observedAt) / 1000, daemonCpu, calls };
  };
  try {
    const cold = await look();
    const warm: Round[] = [];
    for (let i = 0; i < (context.quick ? 2 : 7); i += 1) warm.push(await look());
    return figuresOf(cold, warm, `${images.length} images, ${containers} containers`);
  } finally {
    await runtime.close();
  }
}

function figuresOf(cold: Round, warm: readonly Round[], size: string): Figure[] {
  const total = ({ observe, decide }: Round): number => observe + decide;
  const last = warm.at(-1) ?? cold;
  return [
    { what: `${size}: plan, cold`, unit: "s", value: total(cold) },
    medianFigure(`${size}: plan, warm`, "s", warm.map(total), { target: 1 }),
    medianFigure(
      "warm: observe",
      "s",
      warm.map(({ observe }) => observe),
    ),
    medianFigure(
      "warm: decide",
      "s",
      warm.map(({ decide }) => decide),
    ),
    { what: "cold: calls to the daemon", unit: "calls", value: cold.calls },
    { what: "warm: calls to the daemon", unit: "calls", value: last.calls },
    { what: "cold: daemon CPU", unit: "s", value: cold.daemonCpu },
    medianFigure(
      "warm: daemon CPU",
      "s",
      warm.map(({ daemonCpu }) => daemonCpu),
    ),
  ];
}

function fixedPods(names: readonly string[], containers: number): PodSource {
  const view = { kind: "synced", pods: podsOf(names, containers), confirmedAt: Date.now() } as const;
  return {
    start: () => undefined,
    view: () => view,
    ready: async () => view,
    onChange: () => () => undefined,
    stop: async () => undefined,
  };
}
