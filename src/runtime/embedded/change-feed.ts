// Tells subscribers that something changed. Hints are merged while nobody reads, so a slow reader costs nothing.
import type { RuntimeEvent } from "../runtime.ts";

export interface ChangeFeed {
  publish(event: RuntimeEvent): void;
  /** Events from now on, until `signal` fires or the feed is closed. Subscribes at once, not at the first read. */
  subscribe(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  close(): void;
}

interface Subscriber {
  readonly pending: Map<string, RuntimeEvent>;
  wake: () => void;
}

export function createChangeFeed(): ChangeFeed {
  const subscribers = new Set<Subscriber>();
  let closed = false;
  return {
    publish(event) {
      for (const subscriber of subscribers) {
        subscriber.pending.set(JSON.stringify([event.kind, event.namespace]), event);
        subscriber.wake();
      }
    },
    subscribe(signal) {
      const subscriber: Subscriber = { pending: new Map(), wake: () => {} };
      const ended = () => closed || signal.aborted;
      if (!ended()) subscribers.add(subscriber);
      const onAbort = () => {
        subscribers.delete(subscriber);
        subscriber.wake();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      return deliver(subscriber, ended, () => {
        subscribers.delete(subscriber);
        signal.removeEventListener("abort", onAbort);
      });
    },
    close() {
      closed = true;
      for (const subscriber of subscribers) subscriber.wake();
    },
  };
}

async function* deliver(
  subscriber: Subscriber,
  ended: () => boolean,
  unsubscribe: () => void,
): AsyncGenerator<RuntimeEvent> {
  try {
    while (!ended()) {
      if (subscriber.pending.size === 0) await nextWake(subscriber);
      const events = [...subscriber.pending.values()];
      subscriber.pending.clear();
      for (const event of events) if (!ended()) yield event;
    }
  } finally {
    unsubscribe();
  }
}

function nextWake(subscriber: Subscriber): Promise<void> {
  return new Promise((resolve) => {
    subscriber.wake = resolve;
  });
}
