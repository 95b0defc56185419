// HTTP to the engine: a deadline, a size limit and one kind of error on every call. Nothing here knows what is asked.
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Address } from "./endpoint.ts";
import { errorOfStatus, type FailedCall, toRuntimeError } from "./errors.ts";

/** Milliseconds that a call may take when nobody says otherwise. */
export const deadlines = { short: 10_000, list: 60_000, removal: 120_000 } as const;

/** Lists of some ten thousand images have 30 MiB. */
const mostAnswerBytes = 256 << 20;
const mostErrorBytes = 64 << 10;
/** More than removals side by side: events hold one all the time, and a check does not wait behind removals. */
const connectionsAtATime = 24;

/** Told about every call: its name, how long it took in seconds, and how it failed. */
export type CallObserver = (call: string, seconds: number, error?: RuntimeError) => void;

export interface Call {
  /** What it is called in metrics and errors. */
  readonly operation: string;
  /** Default GET. */
  readonly method?: "GET" | "POST" | "DELETE";
  /** With the version prefix and the query. */
  readonly path: string;
  /** Default `short`. */
  readonly deadline?: keyof typeof deadlines;
}

/** What came back from a call that succeeded. */
export interface Answer {
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface HttpClient {
  readonly address: Address;
  /** Makes one call. Throws a `RuntimeError` unless the status is 2xx. */
  call(call: Call, options?: CallOptions): Promise<Answer>;
  /** Opens an endless answer. Throws until its first byte would come; later problems end or break the stream. */
  open(call: Call, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** A client that keeps connections open between calls. Connects with the first call, and again when one broke. */
export function createHttpClient(address: Address, onCall: CallObserver = () => {}): HttpClient {
  const transport = transportTo(address);
  const fetchAnswer = async (call: Call, options: CallOptions = {}): Promise<Answer> => {
    const allowed = deadlines[call.deadline ?? "short"];
    const ending = new Ending(Math.min(allowed, options.timeoutMs ?? allowed), options.signal);
    try {
      return await readAnswer(await send(transport, call, ending), call);
    } catch (error) {
      throw failure(error, call, { address, ending });
    } finally {
      ending.release();
    }
  };
  return {
    address,
    call: (call, options) => measured(call, onCall, () => fetchAnswer(call, options)),
    open: (call, signal) => openStream(transport, call, signal),
    close: () => transport.agent.destroy(),
  };
}

interface Transport {
  readonly address: Address;
  readonly agent: PlainAgent | TlsAgent;
  request(call: Call): ClientRequest;
}

function transportTo(address: Address): Transport {
  const pooling = { keepAlive: true, maxSockets: connectionsAtATime };
  const optionsOf = ({ method = "GET", path }: Call) => ({ method, path });
  if (address.kind === "unix") {
    const agent = new PlainAgent(pooling);
    const place = { socketPath: address.path, headers: { host: "docker" }, agent };
    return { address, agent, request: (call) => plainRequest({ ...place, ...optionsOf(call) }) };
  }
  const { host, port, tls } = address;
  if (tls === undefined) {
    const agent = new PlainAgent(pooling);
    return { address, agent, request: (call) => plainRequest({ host, port, agent, ...optionsOf(call) }) };
  }
  const agent = new TlsAgent({ ...pooling, ...tls });
  return { address, agent, request: (call) => tlsRequest({ host, port, agent, ...optionsOf(call) }) };
}

/**
 * What ends a call from our side: the deadline, or the caller's own signal. One timer and one listener, because signals made and joined
 * for every call cost more than the call itself.
 */
class Ending {
  readonly timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = (): void => this.#end("stopped");
  #request: ClientRequest | undefined;
  #cause: FailedCall["ended"];

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#end("late"), timeoutMs);
    signal?.addEventListener("abort", this.#stop);
    if (signal?.aborted) this.#stop();
  }

  /** What ended the call; undefined as long as nothing did. */
  get cause(): FailedCall["ended"] {
    return this.#cause;
  }

  /** The request that is to be ended, at once if it is over already. */
  watch(request: ClientRequest): ClientRequest {
    this.#request = request;
    if (this.#cause !== undefined) this.#end(this.#cause);
    return request;
  }

  /** There is no more deadline; the caller may still end the call. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  release(): void {
    this.answered();
    this.#signal?.removeEventListener("abort", this.#stop);
  }

  #end(cause: FailedCall["ended"]): void {
    this.#cause ??= cause;
    this.#request?.destroy(new Error(`the call was ended: ${cause}`));
  }
}

/**
 * A connection that the engine closed while it was idle is noticed only when it is used: such a question is asked once more.
 * What changes something never is.
 */
async function send(transport: Transport, call: Call, ending: Ending): Promise<IncomingMessage> {
  const first = ending.watch(transport.request(call));
  try {
    return await responseOf(first);
  } catch (error) {
    const isStale = first.reusedSocket && (call.method ?? "GET") === "GET" && ending.cause === undefined;
    if (!isStale) throw error;
    return responseOf(ending.watch(transport.request(call)));
  }
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve).on("error", reject).end();
  });
}

async function readAnswer(response: IncomingMessage, call: Call): Promise<Answer> {
  const status = response.statusCode ?? 0;
  const isSuccess = status >= 200 && status < 300;
  const text = await readText(response, isSuccess ? mostAnswerBytes : mostErrorBytes, call.operation);
  if (isSuccess) return { headers: response.headers, text };
  throw errorOfStatus(status, messageIn(text), call.operation);
}

function readText(response: IncomingMessage, mostBytes: number, operation: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    response
      .on("data", (piece: Buffer) => {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes <= mostBytes) return;
        const message = `the answer is longer than ${mostBytes} bytes: this is no list of images`;
        response.destroy(new RuntimeError("internal", operation, message));
      })
      .on("end", () => resolve(Buffer.concat(pieces).toString("utf8")))
      .on("error", reject);
  });
}

/** The engine's own words; proxies answer with plain text or a page. */
function messageIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed && typeof parsed.message === "string") {
      return parsed.message;
    }
  } catch {
    // Not JSON: shown as it is.
  }
  return text.trim().split("\n", 1)[0]?.slice(0, 300) ?? "";
}

async function openStream(transport: Transport, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const ending = new Ending(deadlines.short, signal);
  try {
    const response = await responseOf(ending.watch(transport.request(call)));
    if (response.statusCode !== 200) await readAnswer(response, call);
    ending.answered();
    return response.once("close", () => ending.release());
  } catch (error) {
    ending.release();
    throw failure(error, call, { address: transport.address, ending });
  }
}

function failure(error: unknown, { operation }: Call, { address, ending }: { address: Address; ending: Ending }) {
  return toRuntimeError(error, { operation, address, timeoutMs: ending.timeoutMs, ended: ending.cause });
}

async function measured<T>(call: Call, onCall: CallObserver, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const result = await work();
    onCall(call.operation, seconds());
    return result;
  } catch (error) {
    onCall(call.operation, seconds(), error as RuntimeError);
    throw error;
  }
}
