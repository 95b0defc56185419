// What is known of a selection of objects, and whether that is fresh enough to remove images by.
import type { Instant } from "../image/node-state.ts";
import type { Clock } from "./clock.ts";
import type { ApiError } from "./errors.ts";
import type { Resource } from "./resource.ts";
import type { WatchEvent } from "./watch-event.ts";

/** The objects as far as they are known, with how fresh that knowledge is. */
export type Known<T> =
  | { readonly kind: "synced"; readonly items: readonly T[]; readonly confirmedAt: Instant }
  /** `reason` is one line for people, with the mend. */
  | { readonly kind: "unsynced"; readonly reason: string };

/** What was asked for: a first look or a watch. */
export type Verb = "list" | "get" | "watch";

export interface ViewOptions {
  readonly clock: Clock;
  /** Milliseconds without news after which the view is unsynced. */
  readonly staleAfterMs: number;
  /** Told what a listener threw: it must not end the watch. */
  readonly onListenerError: (error: unknown) => void;
}

/** The objects seen so far; tells its listeners when they, or whether they may be trusted, changed. */
export class View<T> {
  readonly #resource: Resource<T>;
  readonly #clock: Clock;
  readonly #staleAfterMs: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<() => void>();
  #items = new Map<string, T>();
  #sorted: readonly T[] | undefined;
  #confirmedAt: { readonly wall: Instant; readonly elapsed: number } | undefined;
  #failure: string | undefined;
  #refusal: { readonly verb: Verb; readonly reason: string } | undefined;
  #stopped = false;
  #cancelStaleness = () => {};
  #lastKind: Known<T>["kind"] = "unsynced";

  constructor(resource: Resource<T>, { clock, staleAfterMs, onListenerError }: ViewOptions) {
    this.#resource = resource;
    this.#clock = clock;
    this.#staleAfterMs = staleAfterMs;
    this.#onListenerError = onListenerError;
  }

  /** The objects by key are exactly these, now. */
  replace(items: ReadonlyMap<string, T>): void {
    const changed = items.size !== this.#items.size || [...items].some(([key, item]) => this.#isNews(key, item));
    this.#items = new Map(items);
    this.#confirm();
    if (this.#refusal?.verb !== "watch") {
      this.#refusal = undefined;
    }
    this.#tell(changed);
  }

  /** The API server accepted a watch: the credentials and rights are in order. */
  accept(): void {
    this.#refusal = undefined;
    this.#tell(false);
  }

  /** The API server was heard from, so what was seen before still holds. */
  confirm(): void {
    this.#confirm();
    this.#tell(false);
  }

  apply(event: WatchEvent<T>): void {
    if (event.kind === "ignored") {
      return;
    }
    this.#confirm();
    this.#tell(this.#take(event));
  }

  /** A conversation failed. What is known stays until it is stale, unless access is denied. */
  fail(error: ApiError, verb: Verb): void {
    const { noun, readVerb } = this.#resource;
    this.#failure = error.message;
    if (error.code === "forbidden" || error.code === "unauthorized") {
      const mend =
        error.code === "forbidden"
          ? `grant "${verb}" on ${noun} to prunelet's service account`
          : `renew the credentials; prunelet needs the right to "${readVerb}" and "watch" ${noun}`;
      this.#refusal = { verb, reason: `cannot ${verb} ${noun}: ${error.message}. Mend: ${mend}` };
    }
    this.#tell(false);
  }

  /** From now on nothing is known. */
  stop(): void {
    this.#stopped = true;
    this.#cancelStaleness();
    this.#tell(false);
    this.#listeners.clear();
  }

  onChange(listener: () => void): () => void {
    // Wrapped, so that the same function subscribed twice is called twice and leaves one at a time.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Milliseconds since the API server was last heard from; Infinity when it never was. */
  age(): number {
    if (this.#confirmedAt === undefined) return Infinity;
    // A clock that was set back must not make old knowledge young, nor a machine that slept: whatever says more counts.
    const { wall, elapsed } = this.#confirmedAt;
    return Math.max(Math.abs(this.#clock.now() - wall), this.#clock.elapsed() - elapsed);
  }

  current(): Known<T> {
    const reason = this.#whyUnsynced();
    if (reason !== undefined || this.#confirmedAt === undefined) {
      return { kind: "unsynced", reason: reason ?? this.#notYet() };
    }
    this.#sorted ??= Object.freeze([...this.#items.values()].sort(this.#resource.compare));
    return { kind: "synced", items: this.#sorted, confirmedAt: this.#confirmedAt.wall };
  }

  #whyUnsynced(): string | undefined {
    if (this.#stopped) {
      return `the watch of ${this.#resource.noun} was stopped`;
    }
    if (this.#refusal !== undefined) {
      return this.#refusal.reason;
    }
    const because = this.#failure === undefined ? "" : `; last error: ${this.#failure}`;
    if (this.#confirmedAt === undefined) {
      return `${this.#notYet()}${because}`;
    }
    const age = this.age();
    const seconds = (milliseconds: number) => Math.round(milliseconds / 1_000);
    return age > this.#staleAfterMs
      ? `no news from the API server for ${seconds(age)} s (limit ${seconds(this.#staleAfterMs)} s)${because}`
      : undefined;
  }

  #notYet(): string {
    return `${this.#resource.selection} are not listed yet`;
  }

  #take(event: Exclude<WatchEvent<T>, { kind: "ignored" }>): boolean {
    switch (event.kind) {
      case "bookmark":
        return false;
      case "deleted":
        return this.#items.delete(this.#resource.keyOf(event.item));
      case "changed": {
        const key = this.#resource.keyOf(event.item);
        const news = this.#isNews(key, event.item);
        if (news) {
          this.#items.set(key, event.item);
        }
        return news;
      }
    }
  }

  #isNews(key: string, item: T): boolean {
    const known = this.#items.get(key);
    return known === undefined || JSON.stringify(known) !== JSON.stringify(item);
  }

  #confirm(): void {
    if (this.#stopped) {
      return;
    }
    this.#confirmedAt = { wall: this.#clock.now(), elapsed: this.#clock.elapsed() };
    this.#failure = undefined;
    this.#wakeWhenStale();
  }

  #wakeWhenStale(): void {
    this.#cancelStaleness();
    // The view is stale only after the limit has passed, so one millisecond more; timers may fire early, so the age is asked again.
    const left = Math.max(this.#staleAfterMs - this.age(), 0) + 1;
    this.#cancelStaleness = this.#clock.after(left, () => {
      if (this.age() > this.#staleAfterMs) {
        this.#tell(false);
      } else {
        this.#wakeWhenStale();
      }
    });
  }

  #tell(changed: boolean): void {
    if (changed) {
      this.#sorted = undefined;
    }
    const kind = this.current().kind;
    if (changed || kind !== this.#lastKind) {
      this.#lastKind = kind;
      for (const listener of this.#listeners) {
        this.#call(listener);
      }
    }
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}
