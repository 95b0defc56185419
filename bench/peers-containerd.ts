// Pruning a containerd node: prunelet against `crictl rmi --prune` at its default settings, and what bystanders feel of either.
import { connectCri } from "../test/support/daemons/cri-client.ts";
import type { ContainerdLine } from "../test/support/daemons/manifest.ts";
import { type BenchContext, type Figure, medianFigure } from "./benchmark.ts";
import { p99, timesBeside } from "./bystander.ts";
import { figuresOfDuel, type PeerRun, takeTurns } from "./peer-run.ts";
import { cpuSeconds, type Finished, measureProgram } from "./process-usage.ts";
import { pruneArguments } from "./prunelet.ts";
import { bareRemoval } from "./store/bare-removal.ts";
import { type FilledNode, NodeMaker, untilQuiet } from "./store/filled-node.ts";

const peer = "crictl rmi --prune";

/** For one call; by default crictl waits two seconds. */
const patience = "10m";

/** As many as prunelet lets remove side by side. */
const sideBySide = 16;

type Prune = (node: FilledNode) => Promise<Finished>;

/** Compares on one containerd line. `bystanders` says whether containers are started meanwhile, in runs of their own. */
export async function containerdPeers(
  line: ContainerdLine,
  { context, crictl, count, bystanders }: { context: BenchContext; crictl: string; count: number; bystanders: boolean },
): Promise<readonly Figure[]> {
  const nodes = new NodeMaker(line, context.log);
  const where = `containerd ${line}`;
  const byPrunelet: Prune = ({ daemon }) =>
    measureProgram(process.execPath, [context.program, ...pruneArguments(daemon)]);
  const crictlWith =
    (...flags: readonly string[]): Prune =>
    ({ daemon }) => {
      const endpoints = ["--runtime-endpoint", daemon.endpoint, "--image-endpoint", daemon.endpoint];
      return measureProgram(crictl, [...endpoints, ...flags, "rmi", "--prune"], { mayFail: true });
    };
  // Who gives up early is quick: times are compared with enough patience, errors are told for the settings that people have.
  const byCrictl = crictlWith("--timeout", patience);
  const run = (name: string, prune: Prune) => async (): Promise<PeerRun> => {
    const result = await nodes.with(count, (node) => measure(node, prune));
    context.log(`${where}: ${name}: ${result.seconds.toFixed(2)} s, ${result.left} left, ${result.errors} errors`);
    return result;
  };
  try {
    const turns = await takeTurns(context.runs, { own: run("prunelet", byPrunelet), theirs: run(peer, byCrictl) });
    const impatient = await run(`${peer}, default settings`, crictlWith())();
    const bare: number[] = [];
    for (let i = 0; i < context.runs; i += 1) {
      bare.push(await nodes.with(count, (node) => bareRemoval(node, sideBySide)));
    }
    const duel = [
      ...figuresOfDuel({ where, peer: `${peer} (--timeout ${patience})`, ...turns }),
      medianFigure(`${where}: the daemon alone: ${sideBySide} callers delete every name, one collection`, "s", bare),
      ...figuresOfDefaults(`${where}: ${peer} at its default settings`, impatient),
    ];
    if (!bystanders) return duel;
    const felt = (work: Prune) =>
      feltBeside(nodes, { count, work, runs: context.quick ? 1 : 2, atLeast: context.quick ? 20 : 60 });
    const alone = await felt(async () => ({ seconds: 0, cpu: 0, peak: 0, stdout: "", stderr: "" }));
    return [
      ...duel,
      { what: `${where}: p99 to create and start a container: nothing else`, unit: "ms", value: alone },
      {
        what: `${where}: p99 to create and start a container: beside prunelet`,
        unit: "ms",
        value: await felt(byPrunelet),
      },
      {
        what: `${where}: p99 to create and start a container: beside ${peer}`,
        unit: "ms",
        value: await felt(byCrictl),
      },
    ];
  } finally {
    nodes.close();
  }
}

function figuresOfDefaults(what: string, { seconds, left, errors }: PeerRun): readonly Figure[] {
  return [
    { what: `${what}: wall time`, unit: "s", value: seconds },
    { what: `${what}: images left behind`, unit: "images", value: left },
    { what: `${what}: errors`, unit: "errors", value: errors },
  ];
}

async function measure(node: FilledNode, prune: Prune): Promise<PeerRun> {
  const { daemon } = node;
  const before = cpuSeconds(daemon.pid());
  const { seconds, cpu, peak, stderr } = await prune(node);
  await untilQuiet(daemon);
  const daemonCpu = cpuSeconds(daemon.pid()) - before;
  return { seconds, cpu, peak, daemonCpu, errors: errorsIn(stderr), left: await imagesOf(node) };
}

/** crictl writes a line for each image that it could not remove, and one at the end. */
function errorsIn(stderr: string): number {
  return stderr.split("\n").filter((line) => /level=(?:error|fatal)|^E\d{4} /.test(line)).length;
}

async function imagesOf({ daemon }: FilledNode): Promise<number> {
  const cri = await connectCri(daemon);
  try {
    return (await cri.images()).length;
  } finally {
    cri.close();
  }
}

interface Beside {
  readonly count: number;
  readonly work: Prune;
  readonly runs: number;
  readonly atLeast: number;
}

async function feltBeside(nodes: NodeMaker, { count, work, runs, atLeast }: Beside): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    times.push(...(await nodes.with(count, (node) => timesBeside(node.daemon, atLeast, () => work(node)))));
  }
  return p99(times);
}
