// Random numbers that a seed decides, and the distributions that traces are drawn from.

/** A stream of random numbers (SplitMix32). The same seed gives the same stream on every machine. */
export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#state = this.#seed;
  }

  /** A stream of its own for one part of a trace, so that a change of one part leaves the others as they are. */
  fork(name: string): Random {
    let hash = this.#seed ^ 0x811c9dc5;
    for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    return new Random(mix(hash));
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state) / 2 ** 32;
  }

  /** From `low` to below `high`. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Time until the next of events that come independently of each other. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Sizes and durations: half of them below `median`, some very large. */
  logNormal(median: number, spread: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(spread * normal);
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.integer(0, values.length - 1)] as Value;
  }
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Draws ranks from 0 to `count` - 1 by Zipf's law: rank r comes 1 / (r + 1) ** exponent as often as the first. */
export function zipf(count: number, exponent: number): (random: Random) => number {
  const weights = Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return (random) => {
    let left = random.next() * total;
    const rank = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return rank < 0 ? count - 1 : rank;
  };
}
