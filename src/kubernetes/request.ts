// One request to the API server, with deadlines: the response once its headers are there and tell of success, or an ApiError.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Clock } from "./clock.ts";
import type { KubernetesConnection } from "./connection.ts";
import { ApiError, toApiError } from "./errors.ts";

/** Milliseconds. */
export interface Deadlines {
  /** Until the headers of an answer are there, credentials included. */
  readonly responseMs: number;
  /** Until a whole answer is read. A watch has no such end. */
  readonly bodyMs: number;
  /** The longest silence inside an answer. A watch has its own. */
  readonly silenceMs: number;
}

export const defaultDeadlines: Deadlines = { responseMs: 15_000, bodyMs: 60_000, silenceMs: 15_000 };

/** What every conversation with the API server needs. */
export interface ApiContext {
  readonly connection: KubernetesConnection;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

const maxErrorBytes = 64 * 1024;

/** What is asked. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH";
  /** With the query. */
  readonly path: string;
  /** The forms of the answer that are welcome, the best first. Default JSON. */
  readonly accept?: string | undefined;
  readonly body?: { readonly type: string; readonly text: string };
}

/** Sends a GET for `path` (with its query). Throws only `ApiError`. The caller reads the body or destroys the response. */
export function get(context: ApiContext, path: string, accept?: string): Promise<IncomingMessage> {
  return send(context, { method: "GET", path, accept });
}

/**
 * Sends a request; once more when the credentials were not accepted, as they may have been renewed. Throws only `ApiError`.
 * The caller reads the body or destroys the response.
 */
export async function send(context: ApiContext, request: ApiRequest): Promise<IncomingMessage> {
  try {
    return await attempt(context, request);
  } catch (error) {
    const failure = toApiError(error, context.connection.server);
    if (failure.code === "expired" || context.signal.aborted) {
      throw failure;
    }
    // Whatever went wrong, tokens and certificates may have been renewed since they were read.
    context.connection.refresh();
    if (failure.code !== "unauthorized") {
      throw failure;
    }
  }
  return retry(context, request);
}

/** Reads a whole body as text within the deadlines and `maxBytes`. Throws only `ApiError`. */
export async function readBody(context: ApiContext, response: IncomingMessage, maxBytes: number): Promise<string> {
  const { clock, deadlines, connection } = context;
  const cut = (code: "timeout" | "malformed", why: string) =>
    response.destroy(new ApiError(code, `the answer of ${connection.server} ${why}`));
  const cancelTotal = clock.after(deadlines.bodyMs, () =>
    cut("timeout", `was not complete after ${deadlines.bodyMs} ms: check the load of the API server`),
  );
  let cancelSilence = () => {};
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const listen = () => {
      cancelSilence();
      cancelSilence = clock.after(deadlines.silenceMs, () =>
        cut("timeout", `stopped for ${deadlines.silenceMs} ms: check the network to the API server`),
      );
    };
    listen();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      listen();
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new ApiError("malformed", `the answer of ${connection.server} is larger than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (error) {
    throw toApiError(error, connection.server);
  } finally {
    cancelTotal();
    cancelSilence();
  }
}

async function retry(context: ApiContext, request: ApiRequest): Promise<IncomingMessage> {
  try {
    return await attempt(context, request);
  } catch (error) {
    context.connection.refresh();
    throw toApiError(error, context.connection.server);
  }
}

async function attempt(context: ApiContext, request: ApiRequest): Promise<IncomingMessage> {
  const response = await answered(context, request);
  if (response.statusCode === 200 || response.statusCode === 201) {
    return response;
  }
  const body = await readBody(context, response, maxErrorBytes);
  throw statusError(response, statusMessage(body), context.connection.server);
}

/** Resolves with the response when its headers are there. The deadline also covers credential plugins, which may hang. */
function answered(context: ApiContext, asked: ApiRequest): Promise<IncomingMessage> {
  const { connection, clock, deadlines, signal } = context;
  return new Promise((resolve, reject) => {
    let request: ClientRequest | undefined;
    let settled = false;
    const settle = () => {
      settled = true;
      cancel();
      signal.removeEventListener("abort", abort);
    };
    const fail = (error: unknown) => {
      settle();
      reject(error);
      request?.destroy();
    };
    const abort = () => fail(new ApiError("unreachable", "stopped"));
    const cancel = clock.after(deadlines.responseMs, () => {
      const mend = "check the network to the API server";
      fail(new ApiError("timeout", `no answer from ${connection.server} within ${deadlines.responseMs} ms: ${mend}`));
    });
    signal.addEventListener("abort", abort, { once: true });
    const begin = (options: RequestOptions) => {
      // Credentials that come too late: nobody waits for the answer any more, and nobody would read or close it.
      if (settled) {
        return;
      }
      request = start(connection.server, asked, options, signal);
      request.on("error", fail);
      request.on("response", (response) => {
        settle();
        resolve(response);
      });
      request.end(asked.body?.text);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    connection.requestOptions().then(begin).catch(fail);
  });
}

function start(server: string, asked: ApiRequest, options: RequestOptions, signal: AbortSignal): ClientRequest {
  // Concatenated, because the server's URL may have a path of its own (clusters behind a gateway).
  const url = new URL(server.replace(/\/$/, "") + asked.path);
  const { method, accept = "application/json", body } = asked;
  const content =
    body === undefined ? {} : { "Content-Type": body.type, "Content-Length": Buffer.byteLength(body.text) };
  const headers = { ...options.headers, Accept: accept, "User-Agent": "prunelet", ...content };
  const send = url.protocol === "http:" ? httpRequest : httpsRequest;
  const request = send(url, { ...options, headers, method, signal });
  // A connection that died without a word is noticed by the kernel.
  request.setSocketKeepAlive(true, 30_000);
  return request;
}

function statusError({ statusCode: status = 0, headers }: IncomingMessage, message: string, server: string): ApiError {
  const said = message === "" ? "" : `: ${message}`;
  switch (status) {
    case 401:
      return new ApiError("unauthorized", `${server} does not accept the credentials (401)${said}`);
    case 403:
      return new ApiError("forbidden", `${server} denies access (403)${said}`);
    case 404:
      return new ApiError("not-found", `${server} has no such object (404)${said}`);
    case 409:
      return new ApiError("conflict", `${server} has another state (409)${said}`);
    case 429:
      return new ApiError("busy", `${server} has too much to do (429)${said}`, undefined, retryAfter(headers));
    case 410:
    case 504:
      return new ApiError("expired", `${server} cannot serve that version (${status})${said}`);
    default:
      return new ApiError("refused", `${server} answered ${status}${said}`, undefined, retryAfter(headers));
  }
}

/** The header in seconds, as the API server writes it. */
function retryAfter(headers: IncomingMessage["headers"]): number | undefined {
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined;
}

/** The message of a Kubernetes `Status` object; the beginning of anything else. */
function statusMessage(body: string): string {
  try {
    const status: unknown = JSON.parse(body);
    if (status !== null && typeof status === "object" && "message" in status && typeof status.message === "string") {
      return status.message;
    }
  } catch {
    // A proxy on the way may answer with a page of its own.
  }
  return body.slice(0, 200).trim();
}
