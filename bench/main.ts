// Runs the benchmarks: `npm run bench -- [--quick] [--docs] [--runs N] [--memory] [--containerd 1.6|1.7|2.1] [name ...]`.
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { clearLeftovers } from "../test/support/daemons/clear-away.ts";
import { availableContainerds, containerdLines, findContainerd, required } from "../test/support/daemons/manifest.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { decide } from "./decide.ts";
import { kubelet } from "./kubelet.ts";
import { describeMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { peers } from "./peers.ts";
import { plan } from "./plan.ts";
import { reclaim } from "./reclaim.ts";
import { removal } from "./removal.ts";
import { formatFigures } from "./report.ts";
import { retention } from "./retention/retention.ts";
import { fileSystemOf, inMemory, NodeMaker } from "./store/filled-node.ts";

const benchmarks: readonly Benchmark[] = [decide, reclaim, plan, removal, kubelet, memory, retention, peers];
const root = join(import.meta.dirname, "..");

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    docs: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    runs: { type: "string", default: "5" },
    containerd: { type: "string", default: "2.1" },
  },
});

const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  fail(`no benchmark ${unknown.join(", ")}: there are ${benchmarks.map(({ name }) => name).join(", ")}`);
}
const version = containerdLines.find((line) => line === flags.containerd);
if (version === undefined) fail(`no containerd ${flags.containerd}: there are ${containerdLines.join(", ")}`);
required(findContainerd(version));
// What a benchmark that was killed left in memory.
await inMemory(() => clearLeftovers());

const log = (line: string): void => void process.stderr.write(`  ${line}\n`);
const nodes = new NodeMaker(version, log);
const runs = flags.quick ? 1 : Math.max(1, Number(flags.runs) || 1);
const context = { nodes, quick: flags.quick, docs: flags.docs, runs, program: join(root, "dist/prunelet.js"), log };
const machine = describeMachine();
const build = availableContainerds().find((line) => line.version === version)?.build ?? version;
const stores = await place(() => fileSystemOf(tmpdir()));
const setting = { containerd: build, stores, quick: flags.quick };
process.stdout.write(
  `${machine.cores} cores (${machine.cpu}), ${machine.memory} GiB, kernel ${machine.kernel}, Node.js ${machine.node}, ` +
    `containerd ${setting.containerd}, stores on ${setting.stores}\n`,
);

const results: Record<string, readonly Figure[]> = {};
const chosen = positionals.length === 0 ? benchmarks : benchmarks.filter(({ name }) => positionals.includes(name));
try {
  for (const benchmark of chosen) {
    const figures = await place(() => benchmark.run(context));
    results[benchmark.name] = figures;
    process.stdout.write(formatFigures(benchmark, figures));
  }
} finally {
  nodes.close();
}
const folder = join(root, "bench/results");
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replaceAll(/[:.]/g, "-")}.json`);
writeFileSync(file, `${JSON.stringify({ machine, setting, results }, null, 2)}\n`);
process.stdout.write(`\nwritten to ${file}\n`);

/** Daemons work on the disk, as on a node, unless memory was asked for. */
function place<T>(work: () => T | Promise<T>): Promise<T> {
  return flags.memory ? inMemory(work) : Promise.resolve(work());
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
