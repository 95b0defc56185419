// The events behind the test API server: created, patched, forgotten.
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendStatus } from "./faults.ts";
import type { Asked } from "./request.ts";

/** The part of a v1 Event that tests look at. */
export interface WireEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly source: { readonly component: string; readonly host: string };
}

export class EventStore {
  readonly #events = new Map<string, WireEvent>();

  get all(): readonly WireEvent[] {
    return [...this.#events.values()];
  }

  /** As after an hour. */
  forget(): void {
    this.#events.clear();
  }

  async answer({ verb, name }: Asked, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as WireEvent;
    if (verb === "create") this.#create(body, response);
    else if (request.headers["content-type"] !== "application/merge-patch+json")
      sendStatus(response, 415, "patch type");
    else this.#patch(name, body, response);
  }

  #create(event: WireEvent, response: ServerResponse): void {
    const { name } = event.metadata;
    if (this.#events.has(name)) {
      sendStatus(response, 409, `events "${name}" already exists`);
      return;
    }
    this.#events.set(name, event);
    response.writeHead(201, { "Content-Type": "application/json" }).end(JSON.stringify(event));
  }

  #patch(name: string, change: Partial<WireEvent>, response: ServerResponse): void {
    const event = this.#events.get(name);
    if (event === undefined) {
      sendStatus(response, 404, `events "${name}" not found`);
      return;
    }
    this.#events.set(name, { ...event, ...change });
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  }
}
