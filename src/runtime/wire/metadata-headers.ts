// gRPC metadata in the shape of the web's Headers, for the gRPC client in the bundle (scripts/bundle.mjs): Node's own Headers load
// all of undici, which costs every command 15 ms and every node some megabytes. Names are kept in lower case, several values of
// one name are joined, and entries come in the order of names, as https://fetch.spec.whatwg.org/#headers-class says.

type Init = Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

/** What the gRPC client uses of `Headers`. Names are not checked, they are its own or the daemon's; values are. */
export class MetadataHeaders {
  readonly #values = new Map<string, string>();

  constructor(init: Init = {}) {
    const entries = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of entries as Iterable<readonly [string, string]>) this.append(name, value);
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), checked(name, value));
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    const added = checked(name, value);
    this.#values.set(name.toLowerCase(), before === null ? added : `${before}, ${added}`);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  forEach(visit: (value: string, name: string, headers: this) => void): void {
    for (const [name, value] of this) visit(value, name, this);
  }

  entries(): IterableIterator<[string, string]> {
    return [...this.#values].sort(([left], [right]) => (left < right ? -1 : 1)).values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/** A line break would let a value pass for further headers, and bytes are all that a header can hold. */
function checked(name: string, value: unknown): string {
  const text = String(value).trim();
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 255 || code === 0 || code === 10 || code === 13) {
      throw new TypeError(`${name}: a header cannot hold ${JSON.stringify(text)}`);
    }
  }
  return text;
}
