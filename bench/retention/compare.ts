// Every contender on every trace at every disk size, and the medians over the seeds.
import { median } from "../benchmark.ts";
import type { Contender } from "./contenders.ts";
import { lowerBound } from "./lower-bound.ts";
import type { Disk } from "./node.ts";
import { type Cost, simulate } from "./simulate.ts";
import { makeTrace, type Scenario, type Trace } from "./trace.ts";
import { gibibytes } from "./units.ts";

export interface Grid {
  readonly scenarios: readonly Scenario[];
  /** GiB of the disk. */
  readonly sizes: readonly number[];
  readonly seeds: readonly number[];
  /** Milliseconds. */
  readonly length: number;
  readonly contenders: readonly Contender[];
}

/** The medians of one contender over the seeds. */
export interface Cell {
  readonly contender: Contender;
  readonly cost: Cost;
}

/** One scenario on one disk. */
export interface Setting {
  readonly scenario: Scenario;
  readonly size: number;
  /** Medians over the seeds: packed bytes of everything that was asked for at all, and what must be pulled again at least. */
  readonly firstBytes: number;
  readonly leastAgainBytes: number;
  readonly cells: readonly Cell[];
}

export interface Comparison {
  readonly grid: Grid;
  readonly settings: readonly Setting[];
}

/** The share of a disk that is no image: the system, logs, what containers write. */
const otherShare = 0.1;

export function diskOf(size: number): Disk {
  return { capacity: size * gibibytes, other: Math.round(size * gibibytes * otherShare) };
}

export function compare(grid: Grid, log: (line: string) => void): Comparison {
  const settings = grid.scenarios.flatMap((scenario) => {
    const traces = grid.seeds.map((seed) => makeTrace(scenario, seed, grid.length));
    return grid.sizes.map((size): Setting => {
      log(`retention: ${scenario.name}, ${size} GiB`);
      return { scenario, size, ...compareOn(traces, size, grid.contenders) };
    });
  });
  return { grid, settings };
}

function compareOn(
  traces: readonly Trace[],
  size: number,
  contenders: readonly Contender[],
): Omit<Setting, "scenario" | "size"> {
  const disk = diskOf(size);
  const first = traces.map(firstBytesOf);
  return {
    firstBytes: median(first),
    leastAgainBytes: median(traces.map((trace, i) => Math.max(0, lowerBound(trace, disk) - (first[i] ?? 0)))),
    cells: contenders.map((contender) => {
      return { contender, cost: medianCost(traces.map((trace) => simulate(trace, disk, contender.policy))) };
    }),
  };
}

/** Packed bytes of every layer that the trace asks for, once. */
export function firstBytesOf({ starts }: Trace): number {
  const layers = new Set(starts.flatMap(({ image }) => image.layers));
  return [...layers].reduce((sum, { packed }) => sum + packed, 0);
}

function medianCost(costs: readonly Cost[]): Cost {
  const keys = Object.keys(costs[0] ?? {}) as (keyof Cost)[];
  return Object.fromEntries(keys.map((key) => [key, median(costs.map((cost) => cost[key]))])) as unknown as Cost;
}
