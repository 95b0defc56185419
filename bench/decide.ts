// Deciding alone: a pure function over growing nodes, which must grow with the node and not with its square.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Benchmark, median, medianFigure } from "./benchmark.ts";
import { syntheticState } from "./node-state.ts";
import { sameLists, timesOf } from "./plan-times.ts";

/** Images and containers. */
type Size = readonly [images: number, containers: number];

const small: Size = [1_000, 200];
const middle: Size = [5_000, 1_000];
const large: Size = [10_000, 2_000];

export const decide: Benchmark = {
  name: "decide",
  title: "Deciding alone",
  async run({ quick }) {
    const repeats = quick ? 5 : 25;
    // One process differs from the next by half: when V8 compiles what is chance.
    const processes = Array.from({ length: quick ? 1 : 9 });
    const alone = (size: Size): readonly number[] => processes.flatMap(() => timesInOwnProcess(size, repeats));
    const [ofSmall, ofMiddle, ofLarge] = [alone(small), alone(middle), alone(large)];
    // One process after the other size: its code is compiled for all of them, and a small node fits the processor's nearest cache.
    const state = syntheticState(...middle);
    const warm = timesOf(state, repeats, sameLists);
    const allNew = timesOf(state, repeats, (one) => structuredClone(one));
    const warmSmall = timesOf(syntheticState(...small), repeats, sameLists);
    const warmLarge = timesOf(syntheticState(...large), repeats, sameLists);
    return [
      medianFigure("5,000 images, 1,000 containers", "ms", ofMiddle, { target: 100 }),
      medianFigure("1,000 images, 200 containers", "ms", ofSmall),
      medianFigure("10,000 images, 2,000 containers", "ms", ofLarge),
      growth("growth from 1,000 to 10,000 images", ofSmall, ofLarge, 12),
      medianFigure("all sizes in one process: 5,000 images", "ms", warm),
      medianFigure("all sizes in one process: 5,000 images, all objects new", "ms", allNew),
      medianFigure("all sizes in one process: 1,000 images", "ms", warmSmall),
      medianFigure("all sizes in one process: 10,000 images", "ms", warmLarge),
      growth("all sizes in one process: growth", warmSmall, warmLarge, 12),
    ];
  },
};

function growth(what: string, from: readonly number[], to: readonly number[], target: number) {
  return { what, unit: "x", value: median(to) / median(from), target } as const;
}

/** As on a node: the agent knows one size, and plans a few hundred times a day at most. */
function timesInOwnProcess(size: Size, repeats: number): readonly number[] {
  const args = [join(import.meta.dirname, "decide-process.ts"), ...size.map(String), String(repeats)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`deciding ended with ${status}: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout) as number[];
}
