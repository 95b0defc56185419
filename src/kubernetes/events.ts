// Writes Kubernetes events on the own Node object, one after the other, and never in anybody's way.
import { type BackoffLimits, backoffDelay, longestRetryAfterMs } from "./backoff.ts";
import { type Clock, sleep, systemClock } from "./clock.ts";
import type { KubernetesConnection } from "./connection.ts";
import { type ApiError, toApiError } from "./errors.ts";
import { type ApiContext, type Deadlines, defaultDeadlines, send } from "./request.ts";

/** One event as it should stand in the cluster. */
export interface WrittenEvent {
  /** Name of the event object, unique in the cluster. The same name again brings count and time up to date. */
  readonly name: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** How often it happened. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface EventWriterOptions {
  readonly connection: KubernetesConnection;
  readonly nodeName: string;
  readonly clock?: Clock;
  readonly backoff?: BackoffLimits;
  readonly deadlines?: Deadlines;
  /** Told of every event that was given up, and of one that is tried again. */
  readonly onError?: (error: ApiError) => void;
}

export interface EventWriter {
  /** Puts the event into the queue. Never throws, never waits. */
  write(event: WrittenEvent): void;
  /** Writes what is queued for `graceMs` milliseconds at most, and stops. */
  close(graceMs: number): Promise<void>;
}

/** Events on nodes stand in this namespace, as those of the kubelet. */
const path = "/api/v1/namespaces/default/events";
/** What piles up while the API server is away; the oldest go first. */
const longestQueue = 32;
/** Names of events that may come again; one that is forgotten is written anew. */
const longestMemory = 100;
const attempts = 6;
/** Patient: an event about an outage of the API server is written when that is over. */
const patience: BackoffLimits = { baseMs: 2_000, capMs: 120_000 };

/** Writes events about `nodeName`. Nothing that goes wrong here is thrown. */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { connection, clock = systemClock, deadlines = defaultDeadlines, backoff = patience } = options;
  const stopping = new AbortController();
  const context: ApiContext = { connection, clock, deadlines, signal: stopping.signal };
  const queue: WrittenEvent[] = [];
  const created = new Set<string>();
  let running: Promise<void> | undefined;

  const deliver = async (event: WrittenEvent): Promise<void> => {
    for (let attempt = 1; attempt <= attempts && !stopping.signal.aborted; attempt++) {
      const error = await tryToWrite(context, event, options.nodeName, created);
      if (error === undefined || stopping.signal.aborted) return;
      tell(options, error);
      if (!isPassing(error)) return;
      const delay = Math.max(
        backoffDelay(attempt, clock.random(), backoff),
        Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs),
      );
      await sleep(clock, delay, stopping.signal);
    }
  };
  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !stopping.signal.aborted; next = queue.shift()) {
      await deliver(next);
    }
    running = undefined;
    for (const name of created) if (created.size > longestMemory) created.delete(name);
  };
  return {
    write(event) {
      if (stopping.signal.aborted) return;
      queue.push(event);
      if (queue.length > longestQueue) queue.shift();
      running ??= drain();
    },
    async close(graceMs) {
      const end = clock.after(graceMs, () => stopping.abort());
      await running;
      end();
      stopping.abort();
    },
  };
}

/** True when it may go better later. */
function isPassing({ code }: ApiError): boolean {
  return code === "timeout" || code === "unreachable" || code === "refused" || code === "busy" || code === "expired";
}

function tell({ onError }: EventWriterOptions, error: ApiError): void {
  try {
    onError?.(error);
  } catch {
    // Whoever listens must not end the writer.
  }
}

async function tryToWrite(
  context: ApiContext,
  event: WrittenEvent,
  nodeName: string,
  created: Set<string>,
): Promise<ApiError | undefined> {
  try {
    if (created.has(event.name)) {
      if (await patch(context, event)) return undefined;
      created.delete(event.name);
    }
    await ask(context, { method: "POST", path, type: "application/json", body: toObject(event, nodeName) });
    created.add(event.name);
    return undefined;
  } catch (error) {
    const failure = toApiError(error, context.connection.server);
    // An attempt whose answer was lost had written it.
    return failure.code === "conflict" ? undefined : failure;
  }
}

/** False when the event is no longer there: the API server forgets events after an hour. */
async function patch(context: ApiContext, { name, count, message, lastAt }: WrittenEvent): Promise<boolean> {
  const body = { count, message, lastTimestamp: timestamp(lastAt) };
  try {
    await ask(context, { method: "PATCH", path: `${path}/${name}`, type: "application/merge-patch+json", body });
    return true;
  } catch (error) {
    const failure = toApiError(error, context.connection.server);
    if (failure.code === "not-found") return false;
    throw failure;
  }
}

interface Write {
  readonly method: "POST" | "PATCH";
  readonly path: string;
  readonly type: string;
  readonly body: unknown;
}

async function ask(context: ApiContext, { method, path: where, type, body }: Write): Promise<void> {
  const response = await send(context, { method, path: where, body: { type, text: JSON.stringify(body) } });
  // The answer repeats the event; nobody needs it.
  response.on("error", () => {});
  response.resume();
}

function toObject({ name, type, reason, message, count, firstAt, lastAt }: WrittenEvent, nodeName: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "default" },
    // The kubelet puts the node's name where the UID belongs, and `kubectl describe node` looks for that.
    involvedObject: { apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeName },
    type,
    reason,
    message,
    count,
    firstTimestamp: timestamp(firstAt),
    lastTimestamp: timestamp(lastAt),
    source: { component: "prunelet", host: nodeName },
    reportingComponent: "prunelet",
    reportingInstance: nodeName,
  };
}

/** The API server's times have no fractions of seconds. */
function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
