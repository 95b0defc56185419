// Looking at a large node and deciding, in this process, as the controller does it round after round.
import { emptyHistory } from "../src/decide/history.ts";
import { needsOf } from "../src/decide/needs.ts";
import { makePlan } from "../src/decide/plan.ts";
import { removeAllUnused } from "../src/decide/policy.ts";
import type { PodSource } from "../src/kubernetes/pod-source.ts";
import { systemClock } from "../src/observe/clock.ts";
import { observeNode } from "../src/observe/observe-node.ts";
import { connectContainerd } from "../src/runtime/containerd/containerd-runtime.ts";
import { type BenchContext, type Benchmark, type Figure, median, medianFigure } from "./benchmark.ts";
import { podsOf } from "./node-state.ts";
import { cpuSeconds } from "./process-usage.ts";
import { type FilledNode, untilQuiet } from "./store/filled-node.ts";
import { namespace } from "./store/wire.ts";
import { writeContainers } from "./store/write-containers.ts";

export const plan: Benchmark = {
  name: "plan",
  title: "Planning (observe and decide)",
  async run(context) {
    const [small, middle, large] = context.quick ? ([50, 250, 500] as const) : ([1_000, 5_000, 10_000] as const);
    const ofMiddle = await looksAt(middle, context);
    const [ofSmall, ofLarge] = [await looksAt(small, context), await looksAt(large, context)];
    const growth = (tell: (round: Round) => number): number => medianOf(ofLarge, tell) / medianOf(ofSmall, tell);
    const sizes = `from ${small} to ${large} images`;
    return [
      ...figuresOf(ofMiddle),
      ...[ofSmall, ofLarge].flatMap(({ size, warm }) => [
        medianFigure(`${size}: plan, warm`, "s", warm.map(total)),
        medianFigure(`${size}: of it deciding`, "s", warm.map(deciding)),
      ]),
      { what: `growth of the plan ${sizes}`, unit: "x", value: growth(total), target: 12 },
      { what: `growth of deciding, as part of it, ${sizes}`, unit: "x", value: growth(deciding), target: 12 },
    ];
  },
};

interface Looks {
  readonly size: string;
  readonly cold: Round;
  readonly warm: readonly Round[];
}

function looksAt(count: number, context: BenchContext): Promise<Looks> {
  const containers = count / 5;
  return context.nodes.with(count, async (node) => {
    await writeContainers(node.daemon, node.images, containers);
    await untilQuiet(node.daemon);
    return look(node, containers, context);
  });
}

const rules = { history: emptyHistory("record-time"), policy: removeAllUnused };

interface Round {
  readonly observe: number;
  readonly decide: number;
  readonly daemonCpu: number;
  readonly calls: number;
}

const deciding = ({ decide }: Round): number => decide;
const total = ({ observe, decide }: Round): number => observe + decide;

function medianOf({ warm }: Looks, tell: (round: Round) => number): number {
  return median(warm.map(tell));
}

async function look({ daemon, images }: FilledNode, containers: number, context: BenchContext): Promise<Looks> {
  let calls = 0;
  const onCall = (): void => {
    calls += 1;
  };
  const runtime = connectContainerd({ endpoint: daemon.endpoint, namespaces: [namespace], onCall });
  const pods = fixedPods(
    images.map((image) => image.names[0] ?? ""),
    containers,
  );
  const once = async (): Promise<Round> => {
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
    const cold = await once();
    const warm: Round[] = [];
    for (let i = 0; i < (context.quick ? 2 : 7); i += 1) warm.push(await once());
    return { size: `${images.length} images, ${containers} containers`, cold, warm };
  } finally {
    await runtime.close();
  }
}

function figuresOf({ size, cold, warm }: Looks): Figure[] {
  const last = warm.at(-1) ?? cold;
  return [
    { what: `${size}: plan, cold`, unit: "s", value: total(cold) },
    medianFigure(`${size}: plan, warm`, "s", warm.map(total), { target: 1 }),
    medianFigure(
      "warm: observe",
      "s",
      warm.map(({ observe }) => observe),
    ),
    medianFigure("warm: decide", "s", warm.map(deciding)),
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
