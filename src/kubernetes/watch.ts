// One watch of a selection of objects: from a version on until it ends, is cut or breaks.
import type { IncomingMessage } from "node:http";
import { ApiError, toApiError } from "./errors.ts";
import { LineDecoder } from "./line-decoder.ts";
import { type ApiContext, get } from "./request.ts";
import type { Resource } from "./resource.ts";
import { parseWatchLine, type WatchEvent } from "./watch-event.ts";

export interface WatchRequest<T> {
  readonly resource: Resource<T>;
  /** Only what happened after this version is told; "" begins with the objects that are there. */
  readonly resourceVersion: string;
  /** The longest silence, in milliseconds, before the connection counts as dead. */
  readonly silenceMs: number;
  /** Called when the API server has accepted the watch. */
  onOpen(): void;
  onEvent(event: WatchEvent<T>): void;
}

/** An object has at most 1.5 MiB in the store; JSON escapes can make it longer on the wire. */
const maxLineLength = 16 * 1024 * 1024;

/** Resolves when the API server ends the watch as agreed. Throws only `ApiError`. */
export async function watchOnce<T>(context: ApiContext, request: WatchRequest<T>): Promise<void> {
  const response = await get(context, watchPath(context, request), request.resource.watchAccept);
  const { noun } = request.resource;
  request.onOpen();
  let cancel = () => {};
  const listen = () => {
    cancel();
    cancel = context.clock.after(request.silenceMs, () => response.destroy(silent(request.silenceMs, noun)));
  };
  try {
    listen();
    await readLines(response, noun, (line) => {
      // Counted by the line: a server that sends single bytes without ever finishing a line tells nothing.
      listen();
      request.onEvent(parseWatchLine(line, request.resource));
    });
  } catch (error) {
    throw toApiError(error, context.connection.server);
  } finally {
    cancel();
    response.destroy();
  }
}

function watchPath<T>(context: ApiContext, { resource, resourceVersion }: WatchRequest<T>): string {
  // Spread over five to ten minutes, so that the watches of a cluster's nodes do not end together.
  const seconds = 300 + Math.floor(context.clock.random() * 300);
  const query = new URLSearchParams([
    ["fieldSelector", resource.fieldSelector],
    ["watch", "true"],
    ["allowWatchBookmarks", "true"],
    ["timeoutSeconds", String(seconds)],
  ]);
  if (resourceVersion !== "") {
    query.set("resourceVersion", resourceVersion);
  }
  return `${resource.path}?${query}`;
}

async function readLines(response: IncomingMessage, noun: string, onLine: (line: string) => void): Promise<void> {
  const decoder = new LineDecoder();
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const line of decoder.push(chunk)) {
      if (line.trim() !== "") {
        onLine(line);
      }
    }
    if (decoder.pending > maxLineLength) {
      throw new ApiError("malformed", `the watch of ${noun} sent a line of more than ${maxLineLength} characters`);
    }
  }
  if (decoder.pending > 0) {
    throw new ApiError("unreachable", `the watch of ${noun} ended in the middle of a line`);
  }
}

function silent(milliseconds: number, noun: string): ApiError {
  const seconds = Math.round(milliseconds / 1_000);
  return new ApiError(
    "timeout",
    `the watch of ${noun} was silent for ${seconds} s: check the network to the API server`,
  );
}
