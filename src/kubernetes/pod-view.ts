// What is known of the pods of this node, and whether that is fresh enough to remove images by.
import type { Instant, Pod } from "../image/node-state.ts";
import type { Clock } from "./clock.ts";
import type { ApiError } from "./errors.ts";
import { isSamePod } from "./pod-images.ts";
import type { PodsView } from "./pod-source.ts";
import type { WatchEvent } from "./watch-event.ts";

/** The pods seen so far; tells its listeners when the pods, or whether they may be trusted, changed. */
export class PodView {
  readonly #clock: Clock;
  readonly #staleAfterMs: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<() => void>();
  #pods = new Map<string, Pod>();
  #sorted: readonly Pod[] | undefined;
  #confirmedAt: Instant | undefined;
  #failure: string | undefined;
  #refusal: { readonly verb: "list" | "watch"; readonly reason: string } | undefined;
  #stopped = false;
  #cancelStaleness = () => {};
  #lastKind: PodsView["kind"] = "unsynced";

  /** `onListenerError` is told what a listener threw: it must not end the watch. */
  constructor(clock: Clock, staleAfterMs: number, onListenerError: (error: unknown) => void) {
    this.#clock = clock;
    this.#staleAfterMs = staleAfterMs;
    this.#onListenerError = onListenerError;
  }

  /** The pods by UID are exactly these, now. */
  replace(pods: ReadonlyMap<string, Pod>): void {
    const changed = pods.size !== this.#pods.size || [...pods].some(([uid, pod]) => this.#isNews(uid, pod));
    this.#pods = new Map(pods);
    this.#confirm();
    if (this.#refusal?.verb === "list") {
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

  apply(event: WatchEvent): void {
    if (event.kind === "ignored") {
      return;
    }
    this.#confirm();
    this.#tell(this.#take(event));
  }

  /** A conversation failed. What is known stays until it is stale, unless access is denied. */
  fail(error: ApiError, verb: "list" | "watch"): void {
    this.#failure = error.message;
    if (error.code === "forbidden" || error.code === "unauthorized") {
      const mend =
        error.code === "forbidden"
          ? `grant "${verb}" on pods to prunelet's service account`
          : `renew the credentials; prunelet needs the right to "list" and "watch" pods`;
      this.#refusal = { verb, reason: `cannot ${verb} pods: ${error.message}. Mend: ${mend}` };
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
    // A clock that was set back must not make old knowledge young: a distance in either direction counts.
    return this.#confirmedAt === undefined ? Infinity : Math.abs(this.#clock.now() - this.#confirmedAt);
  }

  current(): PodsView {
    const reason = this.#whyUnsynced();
    if (reason !== undefined || this.#confirmedAt === undefined) {
      return { kind: "unsynced", reason: reason ?? "the pods of this node are not listed yet" };
    }
    this.#sorted ??= Object.freeze([...this.#pods.values()].sort(byName));
    return { kind: "synced", pods: this.#sorted, confirmedAt: this.#confirmedAt };
  }

  #whyUnsynced(): string | undefined {
    if (this.#stopped) {
      return "the watch of pods was stopped";
    }
    if (this.#refusal !== undefined) {
      return this.#refusal.reason;
    }
    const because = this.#failure === undefined ? "" : `; last error: ${this.#failure}`;
    if (this.#confirmedAt === undefined) {
      return `the pods of this node are not listed yet${because}`;
    }
    const age = this.age();
    const seconds = (milliseconds: number) => Math.round(milliseconds / 1_000);
    return age > this.#staleAfterMs
      ? `no news from the API server for ${seconds(age)} s (limit ${seconds(this.#staleAfterMs)} s)${because}`
      : undefined;
  }

  #take(event: Exclude<WatchEvent, { kind: "ignored" }>): boolean {
    switch (event.kind) {
      case "bookmark":
        return false;
      case "deleted":
        return this.#pods.delete(event.pod.uid);
      case "changed": {
        const news = this.#isNews(event.pod.uid, event.pod);
        if (news) {
          this.#pods.set(event.pod.uid, event.pod);
        }
        return news;
      }
    }
  }

  #isNews(uid: string, pod: Pod): boolean {
    const known = this.#pods.get(uid);
    return known === undefined || !isSamePod(known, pod);
  }

  #confirm(): void {
    if (this.#stopped) {
      return;
    }
    this.#confirmedAt = this.#clock.now();
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

  #tell(podsChanged: boolean): void {
    if (podsChanged) {
      this.#sorted = undefined;
    }
    const kind = this.current().kind;
    if (podsChanged || kind !== this.#lastKind) {
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

/** A total order, so that the same pods always give the same list. */
function byName(one: Pod, other: Pod): number {
  return compare(one.namespace, other.namespace) || compare(one.name, other.name) || compare(one.uid, other.uid);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
