// A server that speaks like a Kubernetes API server about pods, nodes and events: pages, watches with bookmarks, every way to fail.
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificates } from "./certificates.ts";
import { EventStore, type WireEvent } from "./events.ts";
import { type Fault, failWith, sendStatus } from "./faults.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type WireNode, wireNode } from "./node.ts";
import type { WirePod } from "./pod.ts";
import { type Asked, type ResourceName, toAsked, type Verb } from "./request.ts";
import { matches, ObjectStore, type Selection, type StoredEvent, type WireObject } from "./store.ts";

export interface ApiServerOptions {
  /** Speaks HTTPS with these. */
  readonly tls?: Certificates;
  /** The bearer token that is accepted; read for each request, so that it can rotate. Undefined accepts everybody. */
  readonly token?: () => string;
  /** Items per page at most, whatever the client asks for. */
  readonly pageSize?: number;
  /** Milliseconds between bookmarks. Default: only when the test calls `bookmark`. */
  readonly bookmarkEveryMs?: number;
}

export interface RecordedRequest extends Asked {
  readonly headers: IncomingMessage["headers"];
}

interface Watcher extends Selection {
  readonly response: ServerResponse;
}

/** Started by `startApiServer`; stop it with `close` or `await using`. */
export class ApiServer {
  readonly url: string;
  /** Everything that was asked, oldest first. */
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #options: ApiServerOptions;
  readonly #store = new ObjectStore();
  readonly #events = new EventStore();
  readonly #watchers = new Set<Watcher>();
  readonly #faults: { readonly fault: Fault; readonly verb?: Verb; readonly resource?: ResourceName }[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(server: Server, options: ApiServerOptions) {
    this.#server = server;
    this.#options = options;
    const { port } = server.address() as AddressInfo;
    this.url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
    // Every cluster has the node that its agents run on.
    this.#store.change("ADDED", "nodes", wireNode());
    server.on("request", (request, response) => this.#answer(request, response));
    if (options.bookmarkEveryMs !== undefined) {
      this.#timers.add(setInterval(() => this.bookmark(), options.bookmarkEveryMs));
    }
  }

  /** Writes a kubeconfig that leads here, with the CA and the token of this moment; returns its path. */
  writeKubeconfig(path: string): string {
    const ca = this.#options.tls?.ca;
    const token = this.#options.token?.();
    return writeKubeconfig(path, {
      server: this.url,
      ...(ca === undefined ? {} : { ca }),
      ...(token === undefined ? {} : { token }),
    });
  }

  /** Open watches. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** How often `verb` was asked for, of pods unless it is said otherwise. */
  count(verb: Verb, resource: ResourceName = "pods"): number {
    return this.requests.filter((request) => request.verb === verb && request.resource === resource).length;
  }

  /** The events that were written, oldest first. */
  get events(): readonly WireEvent[] {
    return this.#events.all;
  }

  /** Events are gone, as after an hour. */
  forgetEvents(): void {
    this.#events.forget();
  }

  /** Makes the pods exactly these; watchers see the differences as events. */
  setPods(pods: readonly WirePod[]): void {
    this.#set("pods", pods);
  }

  /** Makes this the only node, or leaves none. */
  setNode(node: WireNode | undefined): void {
    this.#set("nodes", node === undefined ? [] : [node]);
  }

  /** Changes the store and tells every watcher that may see the pod. */
  event(type: "ADDED" | "MODIFIED" | "DELETED", pod: WirePod): void {
    this.#change(type, "pods", pod);
  }

  /** Tells every watcher that nothing else happened. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.#store.version) };
    this.send(`${JSON.stringify({ type: "BOOKMARK", object: { apiVersion: "v1", metadata } })}\n`);
  }

  /** Sends raw bytes to every watcher. */
  send(bytes: string | Uint8Array): void {
    for (const watcher of this.#watchers) {
      watcher.response.write(bytes);
    }
  }

  /** Ends every watch in order, as after `timeoutSeconds`. */
  endWatches(): void {
    for (const watcher of this.#watchers) {
      watcher.response.end();
    }
    this.#watchers.clear();
  }

  /** Cuts every watch; with `after`, in the middle of a line that begins like that. */
  breakWatch(after = ""): void {
    for (const { response } of this.#watchers) {
      const cut = () => response.destroy();
      if (after === "") {
        cut();
      } else {
        response.write(after, cut);
      }
    }
    this.#watchers.clear();
  }

  /** Forgets the history: watches from older versions get 410, and the open ones are told so (an ERROR event) and end. */
  expire(): void {
    this.#store.compact();
    const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
    this.send(`${JSON.stringify({ type: "ERROR", object })}\n`);
    this.endWatches();
  }

  /** Answers `verb` of `resource` (default: all of all) like that until `heal`. */
  fail(fault: Fault, verb?: Verb, resource?: ResourceName): void {
    this.#faults.unshift({ fault, ...(verb && { verb }), ...(resource && { resource }) });
  }

  heal(): void {
    this.#faults.length = 0;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) {
      clearInterval(timer);
    }
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => {});
    const asked = toAsked(request);
    if (asked === undefined) {
      sendStatus(response, 404, "the server could not find the requested resource");
      return;
    }
    this.requests.push({ ...asked, headers: request.headers });
    const token = this.#options.token?.();
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      sendStatus(response, 401, "Unauthorized");
      return;
    }
    const fault = this.#faultOf(asked);
    if (fault !== undefined && fault.kind !== "slow") {
      failWith(fault, request, response);
    } else if (asked.resource === "events") {
      this.#events.answer(asked, request, response).catch((error: unknown) => response.destroy(error as Error));
    } else if (asked.verb === "get") {
      this.#get(asked, response);
    } else if (asked.verb === "watch") {
      this.#watch(asked, response);
    } else {
      this.#list(asked, response, fault);
    }
  }

  #faultOf({ verb, resource }: Asked): Fault | undefined {
    const hit = this.#faults.find((one) => (one.verb ?? verb) === verb && (one.resource ?? resource) === resource);
    return hit?.fault;
  }

  #set(resource: ResourceName, objects: readonly WireObject[]): void {
    const wanted = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const gone of this.#store.objects({ resource, selector: "" })) {
      if (!wanted.has(gone.metadata.uid)) {
        this.#change("DELETED", resource, gone);
      }
    }
    for (const object of objects) {
      this.#change(this.#store.find(object.metadata.uid) === undefined ? "ADDED" : "MODIFIED", resource, object);
    }
  }

  #change(type: "ADDED" | "MODIFIED" | "DELETED", resource: ResourceName, object: WireObject): void {
    const event = this.#store.change(type, resource, object);
    for (const watcher of this.#watchers) {
      if (matches(event, watcher)) {
        watcher.response.write(lineOf(event));
      }
    }
  }

  #get({ resource, name }: Asked, response: ServerResponse): void {
    const [object] = this.#store.objects({ resource, selector: `metadata.name=${name}` });
    if (object === undefined) {
      sendStatus(response, 404, `${resource} "${name}" not found`);
      return;
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(object));
  }

  #list({ resource, query }: Asked, response: ServerResponse, slow: (Fault & { kind: "slow" }) | undefined): void {
    const all = this.#store.objects({ resource, selector: query.get("fieldSelector") ?? "" });
    const asked = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
    const size = Math.min(asked, this.#options.pageSize ?? Number.POSITIVE_INFINITY);
    const [version = this.#store.version, from = 0] = (query.get("continue")?.split("-") ?? []).map(Number);
    if (query.has("continue") && (query.has("resourceVersion") || !this.#store.knows(version))) {
      const both = query.has("resourceVersion");
      sendStatus(response, both ? 400 : 410, both ? "resourceVersion with continue" : "continue token too old");
      return;
    }
    const next = from + size;
    const token = next < all.length ? { continue: `${version}-${next}` } : {};
    const metadata = { resourceVersion: String(version), ...token };
    const body = JSON.stringify({ kind: "List", apiVersion: "v1", metadata, items: all.slice(from, next) });
    response.setHeader("Content-Type", "application/json");
    if (slow === undefined) {
      response.end(body);
    } else {
      this.#drip(response, Buffer.from(body), slow.everyMs);
    }
  }

  #watch({ resource, query }: Asked, response: ServerResponse): void {
    const events = this.#store.since(query.get("resourceVersion"));
    if (events === undefined) {
      sendStatus(response, 410, "too old resource version");
      return;
    }
    const watcher = { resource, selector: query.get("fieldSelector") ?? "", response };
    response.setHeader("Content-Type", "application/json");
    response.flushHeaders();
    for (const event of events.filter((stored) => matches(stored, watcher))) {
      response.write(lineOf(event));
    }
    this.#watchers.add(watcher);
    response.on("close", () => this.#watchers.delete(watcher));
  }

  #drip(response: ServerResponse, body: Buffer, everyMs: number): void {
    let sent = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(sent, sent + 1));
      sent += 1;
      if (sent === body.length) {
        response.end();
      }
    }, everyMs);
    this.#timers.add(timer);
    response.on("close", () => clearInterval(timer));
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { tls } = options;
  const server = tls === undefined ? createHttp() : createHttps({ cert: tls.cert, key: tls.key });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return new ApiServer(server, options);
}

function lineOf(event: StoredEvent): string {
  return `${JSON.stringify({ type: event.type, object: event.object })}\n`;
}
