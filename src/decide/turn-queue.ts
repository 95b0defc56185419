// A queue of numbers whose order may change while they wait: a binary heap that knows where each number is.

/** Gives the number that comes first by `compare`, which must be a total order at any moment. Numbers are below `end`. */
export class TurnQueue {
  readonly #heap: Int32Array;
  #size = 0;
  /** Place of each number in the heap; below 0 for those that do not wait. */
  readonly #places: Int32Array;
  readonly #compare: (left: number, right: number) => number;

  constructor(end: number, compare: (left: number, right: number) => number) {
    this.#heap = new Int32Array(end);
    this.#places = new Int32Array(end).fill(-1);
    this.#compare = compare;
  }

  add(number: number): void {
    this.#size += 1;
    this.#rise(number, this.#size - 1);
  }

  /** Takes the first number out; undefined when none waits. */
  next(): number | undefined {
    if (this.#size === 0) return undefined;
    this.#size -= 1;
    const first = this.#at(0);
    const last = this.#at(this.#size);
    this.#places[first] = -1;
    if (first !== last) this.#rise(last, this.#emptied(0));
    return first;
  }

  /** Tells that a number may have to wait shorter or longer than before. Nothing happens when it does not wait. */
  moved(number: number): void {
    const place = this.#places[number] ?? -1;
    if (place >= 0 && this.#rise(number, place) === place) this.#sink(number, place);
  }

  /** Closes the gap at a place with what comes next below it, and so on. Gives the place at the bottom that is free then. */
  #emptied(from: number): number {
    let place = from;
    for (let child = this.#firstChild(place); child > 0; child = this.#firstChild(place)) {
      this.#put(this.#at(child), place);
      place = child;
    }
    return place;
  }

  #rise(number: number, from: number): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#at(parent);
      if (this.#compare(number, above) >= 0) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(number, place);
    return place;
  }

  #sink(number: number, from: number): void {
    let place = from;
    for (let child = this.#firstChild(place); child > 0; child = this.#firstChild(place)) {
      const below = this.#at(child);
      if (this.#compare(below, number) >= 0) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(number, place);
  }

  /** The place below this one whose number comes first; 0 at the bottom. */
  #firstChild(place: number): number {
    const left = 2 * place + 1;
    const right = left + 1;
    if (right >= this.#size) return left < this.#size ? left : 0;
    return this.#compare(this.#at(right), this.#at(left)) < 0 ? right : left;
  }

  #at(place: number): number {
    return this.#heap[place] as number;
  }

  #put(number: number, place: number): void {
    this.#heap[place] = number;
    this.#places[number] = place;
  }
}
