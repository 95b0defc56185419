// What a benchmark is and what it gives: figures with units, some of them with a target.
import type { NodeMaker } from "./store/filled-node.ts";

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "MiB" | "GiB" | "x" | "calls" | "images" | "errors";
  /** The value should not be greater than this. */
  readonly target?: number;
  /** All measured values when `value` is their median. */
  readonly runs?: readonly number[];
}

export interface BenchContext {
  readonly nodes: NodeMaker;
  /** Smaller sizes and fewer runs. */
  readonly quick: boolean;
  /** Results that have a page in docs/ are written there. */
  readonly docs: boolean;
  /** How often removals are repeated. */
  readonly runs: number;
  /** The bundled program. */
  readonly program: string;
  readonly log: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<readonly Figure[]>;
}

/** A figure that is the median of several runs. */
export function medianFigure(
  what: string,
  unit: Figure["unit"],
  runs: readonly number[],
  extra: Pick<Figure, "target"> = {},
): Figure {
  return { what, unit, value: median(runs), runs, ...extra };
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
