// A queue of numbers whose order may change while they wait: a binary heap that knows where each number is.

/** Gives the number that comes first by `compare`, which must be a total order at any moment. */
export class TurnQueue {
  readonly #heap: number[] = [];
  /** Place of each number in the heap; undefined or below 0 for those that do not wait. */
  readonly #places: number[] = [];
  readonly #compare: (left: number, right: number) => number;

  constructor(compare: (left: number, right: number) => number) {
    this.#compare = compare;
  }

  add(number: number): void {
    this.#put(number, this.#heap.length);
    this.moved(number);
  }

  /** Takes the first number out; undefined when none waits. */
  next(): number | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    this.#places[first] = -1;
    if (first !== last) {
      this.#put(last, 0);
      this.moved(last);
    }
    return first;
  }

  /** Tells that a number may have to wait shorter or longer than before. Nothing happens when it does not wait. */
  moved(number: number): void {
    const place = this.#places[number] ?? -1;
    if (place >= 0) this.#sink(this.#rise(place));
  }

  #rise(from: number): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) break;
      this.#swap(place, parent);
      place = parent;
    }
    return place;
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const left = 2 * place + 1;
      let first = place;
      for (const child of [left, left + 1])
        if (child < this.#heap.length && this.#isBefore(child, first)) first = child;
      if (first === place) return;
      this.#swap(place, first);
      place = first;
    }
  }

  #isBefore(one: number, other: number): boolean {
    return this.#compare(this.#heap[one] as number, this.#heap[other] as number) < 0;
  }

  #swap(one: number, other: number): void {
    const number = this.#heap[one] as number;
    this.#put(this.#heap[other] as number, one);
    this.#put(number, other);
  }

  #put(number: number, place: number): void {
    this.#heap[place] = number;
    this.#places[number] = place;
  }
}
