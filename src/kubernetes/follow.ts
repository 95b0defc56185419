// Follows a selection of objects: lists them once, then watches them, for as long as it runs.
import type { Instant } from "../image/node-state.ts";
import { type BackoffLimits, backoffDelay, defaultBackoff, longestRetryAfterMs } from "./backoff.ts";
import { type Clock, sleep, systemClock } from "./clock.ts";
import type { KubernetesConnection } from "./connection.ts";
import { ApiError, messageOf, toApiError } from "./errors.ts";
import { type ApiContext, type Deadlines, defaultDeadlines } from "./request.ts";
import type { Freshness, Resource } from "./resource.ts";
import { type Known, type Verb, View } from "./view.ts";
import { watchOnce } from "./watch.ts";
import type { WatchEvent } from "./watch-event.ts";

export interface FollowOptions {
  readonly connection: KubernetesConnection;
  readonly clock?: Clock;
  /** Milliseconds without news after which the view is unsynced. Default five minutes; the API server sends news every minute. */
  readonly staleAfterMs?: number;
  readonly backoff?: BackoffLimits;
  readonly deadlines?: Deadlines;
  /** Told of every failure that is going to be tried again. */
  readonly onError?: (error: ApiError) => void;
  /** Told what happens, in short static sentences, for debug logs. */
  readonly log?: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** A watch that ends faster than this without an event is a failure, as in client-go: else it would be repeated at once, forever. */
const shortestWatchMs = 1_000;

/** A selection of objects that is followed. */
export interface Followed<T> {
  /** Begins to list and watch. */
  start(): void;
  /** What is known now. Never waits. */
  view(): Known<T>;
  /** Resolves when the first list is complete, or with the unsynced view after `timeoutMs` milliseconds. */
  ready(timeoutMs: number): Promise<Known<T>>;
  /** Called after every change; returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

/** Follows the objects of `resource`. Does nothing before `start`; never throws out of the background. */
export function follow<T>(resource: Resource<T>, options: FollowOptions): Followed<T> {
  const clock = options.clock ?? systemClock;
  const staleAfterMs = options.staleAfterMs ?? 300_000;
  const onListenerError = (error: unknown) =>
    options.log?.(`a listener of the watch of ${resource.noun} failed`, { error: messageOf(error) });
  const view = new View(resource, { clock, staleAfterMs, onListenerError });
  const stopping = new AbortController();
  const context: ApiContext = {
    connection: options.connection,
    clock,
    deadlines: options.deadlines ?? defaultDeadlines,
    signal: stopping.signal,
  };
  const firstList = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;
  return {
    start() {
      if (running === undefined && !stopping.signal.aborted) {
        const parts = { resource, options, context, view, staleAfterMs, onListed: firstList.resolve };
        running = new Follower(parts).run();
      }
    },
    view: () => view.current(),
    ready: (timeoutMs) => ready(view, firstList.promise, { clock, timeoutMs, stopped: stopping.signal }),
    onChange: (listener) => view.onChange(listener),
    async stop() {
      stopping.abort();
      view.stop();
      await running;
    },
  };
}

async function ready<T>(
  view: View<T>,
  firstList: Promise<void>,
  limit: { clock: Clock; timeoutMs: number; stopped: AbortSignal },
): Promise<Known<T>> {
  const done = new AbortController();
  const stopped = AbortSignal.any([limit.stopped, done.signal]);
  await Promise.race([firstList, sleep(limit.clock, limit.timeoutMs, stopped)]);
  done.abort();
  return view.current();
}

interface FollowerParts<T> {
  readonly resource: Resource<T>;
  readonly options: FollowOptions;
  readonly context: ApiContext;
  readonly view: View<T>;
  readonly staleAfterMs: number;
  readonly onListed: () => void;
}

/** The loop behind `follow`: list when needed, watch, wait, again. */
class Follower<T> {
  readonly #resource: Resource<T>;
  readonly #options: FollowOptions;
  readonly #context: ApiContext;
  readonly #view: View<T>;
  readonly #staleAfterMs: number;
  readonly #backoff: BackoffLimits;
  readonly #onListed: () => void;
  #freshness: Freshness = { kind: "cached" };
  #mustList = true;
  #resourceVersion = "";
  #failures = 0;
  #openedAt: Instant | undefined;
  #endedAsAgreed = false;
  #verb: Verb = "list";

  constructor({ resource, options, context, view, staleAfterMs, onListed }: FollowerParts<T>) {
    this.#resource = resource;
    this.#options = options;
    this.#context = context;
    this.#view = view;
    this.#staleAfterMs = staleAfterMs;
    this.#backoff = options.backoff ?? defaultBackoff;
    this.#onListed = onListed;
  }

  /** Resolves when the context's signal fires. Never rejects. */
  async run(): Promise<void> {
    const { signal, clock } = this.#context;
    while (!signal.aborted) {
      try {
        await this.#listIfNeeded();
        await this.#watch();
      } catch (error) {
        if (!signal.aborted) {
          const delay = this.#failed(toApiError(error, this.#context.connection.server));
          await sleep(clock, delay, signal);
        }
      }
    }
  }

  async #listIfNeeded(): Promise<void> {
    // Half the limit: a watch that went silent is replaced by a list before the view becomes stale.
    if (!this.#mustList && this.#view.age() <= this.#staleAfterMs / 2) {
      return;
    }
    this.#verb = this.#resource.readVerb;
    const { items, resourceVersion } = await this.#resource.list(this.#context, this.#freshness);
    this.#resourceVersion = resourceVersion;
    this.#freshness = { kind: "notOlderThan", resourceVersion };
    this.#mustList = false;
    this.#endedAsAgreed = false;
    this.#options.log?.(`listed ${this.#resource.noun}`, { items: items.size, resourceVersion });
    this.#view.replace(items);
    this.#onListed();
  }

  async #watch(): Promise<void> {
    const { clock } = this.#context;
    this.#verb = "watch";
    let events = 0;
    await watchOnce(this.#context, {
      resource: this.#resource,
      resourceVersion: this.#resourceVersion,
      silenceMs: this.#staleAfterMs / 2,
      onOpen: () => {
        this.#openedAt = clock.now();
        this.#options.log?.(`watching ${this.#resource.noun}`, { resourceVersion: this.#resourceVersion });
        this.#opened();
      },
      onEvent: (event) => {
        events += 1;
        this.#heard(event);
      },
    });
    const lifetime = Math.abs(clock.now() - (this.#openedAt ?? 0));
    if (events === 0 && lifetime < shortestWatchMs) {
      throw new ApiError(
        "refused",
        `the API server ends each watch of ${this.#resource.noun} at once: check its load and the proxies on the way`,
      );
    }
    this.#failures = 0;
    this.#endedAsAgreed = true;
  }

  /** A watch that follows one that ended as agreed misses nothing, so its acceptance is news; after a break only events are. */
  #opened(): void {
    const seamless = this.#endedAsAgreed;
    this.#endedAsAgreed = false;
    this.#view.accept();
    if (seamless) {
      this.#view.confirm();
    }
  }

  #heard(event: WatchEvent<T>): void {
    if (event.kind === "ignored") {
      return;
    }
    this.#failures = 0;
    this.#resourceVersion = event.resourceVersion;
    this.#freshness = { kind: "notOlderThan", resourceVersion: event.resourceVersion };
    this.#view.apply(event);
  }

  /** Notes the failure; returns the milliseconds to wait. */
  #failed(error: ApiError): number {
    // A watch that lasted longer than any wait was a success, even when nothing happened in it.
    const lasted = this.#openedAt !== undefined && this.#context.clock.now() - this.#openedAt > this.#backoff.capMs;
    this.#failures = lasted ? 1 : this.#failures + 1;
    this.#openedAt = undefined;
    this.#endedAsAgreed = false;
    if (error.code === "expired") {
      this.#mustList = true;
      this.#freshness = { kind: "exact" };
    }
    if (error.code === "malformed") {
      // Whatever could not be read may have been about a pod: only a list tells.
      this.#mustList = true;
    }
    const delay = Math.max(
      backoffDelay(this.#failures, this.#context.clock.random(), this.#backoff),
      Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs),
    );
    this.#options.log?.(`${this.#resource.noun}: trying again`, { verb: this.#verb, code: error.code, delayMs: delay });
    this.#view.fail(error, this.#verb);
    this.#report(error);
    return delay;
  }

  /** Code of others: what it throws must not end the watch. */
  #report(error: ApiError): void {
    try {
      this.#options.onError?.(error);
    } catch (thrown) {
      this.#options.log?.("the error handler of a watch failed", { error: messageOf(thrown) });
    }
  }
}
