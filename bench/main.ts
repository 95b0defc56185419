// Runs the benchmarks: `npm run bench -- [--quick] [--disk] [--containerd 1.6|1.7|2.1] [name ...]`.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { availableContainerds, containerdLines, findContainerd, required } from "../test/support/daemons/manifest.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { decide } from "./decide.ts";
import { kubelet } from "./kubelet.ts";
import { describeMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { plan } from "./plan.ts";
import { removal } from "./removal.ts";
import { formatFigures } from "./report.ts";
import { fileSystemOf, NodeMaker } from "./store/filled-node.ts";

const benchmarks: readonly Benchmark[] = [decide, plan, removal, kubelet, memory];
const root = join(import.meta.dirname, "..");
/** Disks of virtual machines answer in fits and starts, which hides what is compared: stores live in memory by default. */
const memoryFolder = "/dev/shm";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    disk: { type: "boolean", default: false },
    containerd: { type: "string", default: "2.1" },
  },
});

const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  fail(`no benchmark ${unknown.join(", ")}: there are ${benchmarks.map(({ name }) => name).join(", ")}`);
}
const version = containerdLines.find((line) => line === flags.containerd);
if (version === undefined) fail(`no containerd ${flags.containerd}: there are ${containerdLines.join(", ")}`);
if (!flags.disk && existsSync(memoryFolder)) process.env["TMPDIR"] = memoryFolder;
required(findContainerd(version));

const log = (line: string): void => void process.stderr.write(`  ${line}\n`);
const nodes = new NodeMaker(version, log);
const context = { nodes, quick: flags.quick, program: join(root, "dist/prunelet.js"), log };
const machine = describeMachine();
const build = availableContainerds().find((line) => line.version === version)?.build ?? version;
const setting = { containerd: build, stores: fileSystemOf(tmpdir()), quick: flags.quick };
process.stdout.write(
  `${machine.cores} cores (${machine.cpu}), ${machine.memory} GiB, kernel ${machine.kernel}, Node.js ${machine.node}, ` +
    `containerd ${setting.containerd}, stores on ${setting.stores}\n`,
);

const results: Record<string, readonly Figure[]> = {};
const chosen = positionals.length === 0 ? benchmarks : benchmarks.filter(({ name }) => positionals.includes(name));
try {
  for (const benchmark of chosen) {
    const figures = await benchmark.run(context);
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

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
