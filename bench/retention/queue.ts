// A queue by time: what was added first comes first among equals.
import type { Instant } from "../../src/image/node-state.ts";

interface Entry<Value> {
  readonly at: Instant;
  readonly order: number;
  readonly value: Value;
}

/** A binary heap. */
export class Queue<Value> {
  readonly #entries: Entry<Value>[] = [];
  #added = 0;

  add(at: Instant, value: Value): void {
    const entries = this.#entries;
    const entry = { at, order: this.#added, value };
    this.#added += 1;
    let place = entries.length;
    while (place > 0) {
      const parent = entries[(place - 1) >> 1] as Entry<Value>;
      if (!isBefore(entry, parent)) break;
      entries[place] = parent;
      place = (place - 1) >> 1;
    }
    entries[place] = entry;
  }

  /** The earliest, which leaves the queue. */
  take(): { readonly at: Instant; readonly value: Value } | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry<Value>): void {
    const entries = this.#entries;
    let place = 0;
    while (true) {
      const [left, right] = [entries[2 * place + 1], entries[2 * place + 2]];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, entry)) break;
      entries[place] = child;
      place = child === left ? 2 * place + 1 : 2 * place + 2;
    }
    entries[place] = entry;
  }
}

function isBefore<Value>(a: Entry<Value>, b: Entry<Value>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
