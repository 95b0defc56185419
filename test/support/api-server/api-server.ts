// A server that speaks like a Kubernetes API server about pods: list with pages, watch with bookmarks, and every way to fail.
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificates } from "./certificates.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { WirePod } from "./pod.ts";
import { matches, PodStore, type StoredEvent } from "./store.ts";

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

/** How requests are answered while it lasts. */
export type Fault =
  /** The connection is accepted and nothing is ever said. */
  | { readonly kind: "hang" }
  /** Headers say 200, then nothing. */
  | { readonly kind: "silent" }
  | { readonly kind: "status"; readonly code: number; readonly message?: string }
  /** The socket is closed without an answer. */
  | { readonly kind: "reset" }
  /** The right answer, one byte at a time, `everyMs` apart. Lists only. */
  | { readonly kind: "slow"; readonly everyMs: number }
  | { readonly kind: "body"; readonly text: string };

export type Verb = "list" | "watch";

export interface RecordedRequest {
  readonly verb: Verb;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

interface Watcher {
  readonly selector: string;
  readonly response: ServerResponse;
}

/** Started by `startApiServer`; stop it with `close` or `await using`. */
export class ApiServer {
  readonly url: string;
  /** Everything that was asked, oldest first. */
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly #options: ApiServerOptions;
  readonly #store = new PodStore();
  readonly #watchers = new Set<Watcher>();
  readonly #faults = new Map<Verb, Fault>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(server: Server, options: ApiServerOptions) {
    this.#server = server;
    this.#options = options;
    const { port } = server.address() as AddressInfo;
    this.url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
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

  /** How often `verb` was asked for. */
  count(verb: Verb): number {
    return this.requests.filter((request) => request.verb === verb).length;
  }

  /** Makes the pods exactly these; watchers see the differences as events. */
  setPods(pods: readonly WirePod[]): void {
    const wanted = new Set(pods.map((pod) => pod.metadata.uid));
    for (const uid of this.#store.uids().filter((known) => !wanted.has(known))) {
      const gone = this.#store.find(uid);
      if (gone !== undefined) {
        this.event("DELETED", gone);
      }
    }
    for (const pod of pods) {
      this.event(this.#store.find(pod.metadata.uid) === undefined ? "ADDED" : "MODIFIED", pod);
    }
  }

  /** Changes the store and tells every watcher that may see the pod. */
  event(type: "ADDED" | "MODIFIED" | "DELETED", pod: WirePod): void {
    const event = this.#store.change(type, pod);
    for (const watcher of this.#watchers) {
      if (matches(pod, watcher.selector)) {
        watcher.response.write(lineOf(event));
      }
    }
  }

  /** Tells every watcher that nothing else happened. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.#store.version) };
    this.send(`${JSON.stringify({ type: "BOOKMARK", object: { kind: "Pod", apiVersion: "v1", metadata } })}\n`);
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

  /** Answers `verb` (default: both) like that until `heal`. */
  fail(fault: Fault, verb?: Verb): void {
    for (const one of verb === undefined ? (["list", "watch"] as const) : [verb]) {
      this.#faults.set(one, fault);
    }
  }

  heal(): void {
    this.#faults.clear();
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
    const url = new URL(request.url ?? "/", this.url);
    if (url.pathname !== "/api/v1/pods") {
      sendStatus(response, 404, "the server could not find the requested resource");
      return;
    }
    const verb: Verb = url.searchParams.get("watch") === "true" ? "watch" : "list";
    this.requests.push({ verb, query: url.searchParams, headers: request.headers });
    const token = this.#options.token?.();
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      sendStatus(response, 401, "Unauthorized");
      return;
    }
    const fault = this.#faults.get(verb);
    if (fault !== undefined && fault.kind !== "slow") {
      failWith(fault, request, response);
    } else if (verb === "watch") {
      this.#watch(url.searchParams, response);
    } else {
      this.#list(url.searchParams, response, fault);
    }
  }

  #list(query: URLSearchParams, response: ServerResponse, slow: (Fault & { kind: "slow" }) | undefined): void {
    const all = this.#store.pods(query.get("fieldSelector") ?? "");
    const asked = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
    const size = Math.min(asked, this.#options.pageSize ?? Number.POSITIVE_INFINITY);
    const [version = this.#store.version, from = 0] = (query.get("continue")?.split("-") ?? []).map(Number);
    if (query.has("continue") && (query.has("resourceVersion") || this.#store.since(version) === undefined)) {
      const both = query.has("resourceVersion");
      sendStatus(response, both ? 400 : 410, both ? "resourceVersion with continue" : "continue token too old");
      return;
    }
    const next = from + size;
    const token = next < all.length ? { continue: `${version}-${next}` } : {};
    const metadata = { resourceVersion: String(version), ...token };
    const body = JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata, items: all.slice(from, next) });
    response.setHeader("Content-Type", "application/json");
    if (slow === undefined) {
      response.end(body);
    } else {
      this.#drip(response, Buffer.from(body), slow.everyMs);
    }
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const events = this.#store.since(Number(query.get("resourceVersion") ?? 0));
    if (events === undefined) {
      sendStatus(response, 410, "too old resource version");
      return;
    }
    const watcher = { selector: query.get("fieldSelector") ?? "", response };
    response.setHeader("Content-Type", "application/json");
    response.flushHeaders();
    for (const event of events.filter(({ object }) => matches(object, watcher.selector))) {
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

function sendStatus(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, message }));
}

function failWith(fault: Exclude<Fault, { kind: "slow" }>, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case "hang":
      return;
    case "silent":
      response.writeHead(200, { "Content-Type": "application/json" });
      response.flushHeaders();
      return;
    case "reset":
      request.socket.destroy();
      return;
    case "status":
      sendStatus(response, fault.code, fault.message ?? "made to fail");
      return;
    case "body":
      response.end(fault.text);
  }
}
