// Removing every image of a node: prunelet against the bare sequence of deletes, each on a fresh copy of the same store.
import { join } from "node:path";
import { findContainerd, required } from "../test/support/daemons/manifest.ts";
import { type BenchContext, type Benchmark, type Figure, median, medianFigure } from "./benchmark.ts";
import { cpuSeconds, measureProgram } from "./process-usage.ts";
import { pruneArguments } from "./prunelet.ts";
import { type FilledNode, untilQuiet } from "./store/filled-node.ts";
import { namespace } from "./store/wire.ts";

/** What one removal took. */
interface Removal {
  /** Until the last process has ended. */
  readonly seconds: number;
  /** What the daemon used until it came to rest. */
  readonly daemonCpu: number;
  /** Seconds of CPU, of the client. */
  readonly cpu: number;
  /** MiB, of the client. */
  readonly peak: number;
  /** Seconds, of the round alone: without the start of the program. */
  readonly round?: number;
}

interface Contender {
  readonly name: string;
  readonly remove: (
    node: FilledNode,
    context: BenchContext,
  ) => Promise<Pick<Removal, "seconds" | "cpu" | "peak" | "round">>;
  /** True when the content is gone at the end as well. */
  readonly collects: boolean;
}

const bare = "ctr, asynchronous deletes and one collection";
const contenders: readonly Contender[] = [
  { name: "prunelet prune", remove: byPrunelet, collects: true },
  { name: bare, remove: byDeletesAndCollection, collects: true },
  { name: "ctr images rm (no collection)", remove: (node) => byCtr(node, []), collects: false },
  { name: "ctr images rm --sync", remove: (node) => byCtr(node, ["--sync"]), collects: true },
];

export const removal: Benchmark = {
  name: "removal",
  title: "Removing all images",
  async run(context) {
    const count = context.quick ? 200 : 1_000;
    const results = new Map<Contender, Removal[]>(contenders.map((contender) => [contender, []]));
    for (let round = 0; round < context.runs; round += 1) {
      // Another one begins each time, so that none profits from its place.
      const order = [...contenders.slice(round % contenders.length), ...contenders.slice(0, round % contenders.length)];
      for (const contender of order) {
        const result = await context.nodes.with(count, (node) => measure(contender, node, context));
        context.log(`${contender.name}: ${result.seconds.toFixed(2)} s`);
        results.get(contender)?.push(result);
      }
    }
    return figuresOf(results, count);
  },
};

async function measure(contender: Contender, node: FilledNode, context: BenchContext): Promise<Removal> {
  const { daemon } = node;
  const cpuBefore = cpuSeconds(daemon.pid());
  const result = await contender.remove(node, context);
  await untilQuiet(daemon);
  const daemonCpu = cpuSeconds(daemon.pid()) - cpuBefore;
  await checkEmpty(contender, node);
  return { ...result, daemonCpu };
}

/** A contender that leaves something behind would win by that. */
async function checkEmpty(contender: Contender, { daemon }: FilledNode): Promise<void> {
  const names = await daemon.ctr("-n", namespace, "images", "ls", "-q");
  const content = contender.collects ? await daemon.ctr("-n", namespace, "content", "ls", "-q") : { stdout: "" };
  if (names.stdout.trim() !== "") throw new Error(`${contender.name} left names behind`);
  if (content.stdout.trim() !== "") throw new Error(`${contender.name} left content behind`);
}

async function byPrunelet({ daemon, images }: FilledNode, { program }: BenchContext) {
  const { seconds, cpu, peak, stdout } = await measureProgram(process.execPath, [program, ...pruneArguments(daemon)]);
  const report = JSON.parse(stdout) as { deleted: string[]; untagged: string[]; durationMs: number };
  if (report.deleted.length !== images.length) throw new Error(`prunelet deleted ${report.deleted.length} images`);
  return { seconds, cpu, peak, round: report.durationMs / 1000 };
}

async function byDeletesAndCollection(node: FilledNode) {
  const removed = await byCtr(node, []);
  const lease = "bench-collect";
  const created = await runCtr(node, "leases", "create", "--id", lease);
  const collected = await runCtr(node, "leases", "delete", "--sync", lease);
  return { ...removed, seconds: removed.seconds + created.seconds + collected.seconds };
}

function byCtr(node: FilledNode, flags: readonly string[]) {
  return runCtr(node, "images", "rm", ...flags, ...node.images.flatMap((image) => image.names));
}

function runCtr({ daemon }: FilledNode, ...args: readonly string[]) {
  const ctr = join(required(findContainerd(daemon.version)), "ctr");
  return measureProgram(ctr, ["--address", daemon.socket, "-n", namespace, ...args]);
}

function figuresOf(results: ReadonlyMap<Contender, readonly Removal[]>, count: number): Figure[] {
  const named = [...results].map(([{ name }, runs]) => ({ name, runs }));
  const secondsOf = (wanted: string) =>
    median(named.find(({ name }) => name === wanted)?.runs.map((r) => r.seconds) ?? []);
  const own = secondsOf("prunelet prune");
  const rounds = named.flatMap(({ runs }) => runs.flatMap(({ round }) => round ?? []));
  return [
    ...named.map(({ name, runs }) =>
      medianFigure(
        `${count} images: ${name}`,
        "s",
        runs.map((r) => r.seconds),
      ),
    ),
    medianFigure("prunelet's round without the start of the program", "s", rounds),
    { what: `prunelet / ${bare}`, unit: "x", value: own / secondsOf(bare), target: 1.2 },
    { what: "prunelet / ctr images rm", unit: "x", value: own / secondsOf("ctr images rm (no collection)") },
    { what: "prunelet / ctr images rm --sync", unit: "x", value: own / secondsOf("ctr images rm --sync") },
    ...named.map(({ name, runs }) =>
      medianFigure(
        `daemon CPU: ${name}`,
        "s",
        runs.map((r) => r.daemonCpu),
      ),
    ),
    ...named.slice(0, 2).map(({ name, runs }) =>
      medianFigure(
        `client CPU: ${name}`,
        "s",
        runs.map((r) => r.cpu),
      ),
    ),
    ...named.slice(0, 2).map(({ name, runs }) =>
      medianFigure(
        `client peak memory: ${name}`,
        "MiB",
        runs.map((r) => r.peak),
      ),
    ),
  ];
}
