// One watch of a node's pods: from a version on until it ends, is cut or breaks.
import type { IncomingMessage } from "node:http";
import { ApiError, toApiError } from "./errors.ts";
import { LineDecoder } from "./line-decoder.ts";
import { nodeSelector } from "./list.ts";
import { type ApiContext, get } from "./request.ts";
import { parseWatchLine, type WatchEvent } from "./watch-event.ts";

export interface WatchRequest {
  readonly nodeName: string;
  /** Only what happened after this version is told. */
  readonly resourceVersion: string;
  /** The longest silence, in milliseconds, before the connection counts as dead. */
  readonly silenceMs: number;
  /** Called when the API server has accepted the watch. */
  onOpen(): void;
  onEvent(event: WatchEvent): void;
}

/** An object has at most 1.5 MiB in the store; JSON escapes can make it longer on the wire. */
const maxLineLength = 16 * 1024 * 1024;

/** Resolves when the API server ends the watch as agreed. Throws only `ApiError`. */
export async function watchOnce(context: ApiContext, request: WatchRequest): Promise<void> {
  const response = await get(context, watchPath(context, request));
  request.onOpen();
  let cancel = () => {};
  const listen = () => {
    cancel();
    cancel = context.clock.after(request.silenceMs, () => response.destroy(silent(request.silenceMs)));
  };
  try {
    listen();
    await readLines(response, (line) => {
      // Counted by the line: a server that sends single bytes without ever finishing a line tells nothing.
      listen();
      request.onEvent(parseWatchLine(line));
    });
  } catch (error) {
    throw toApiError(error, context.connection.server);
  } finally {
    cancel();
    response.destroy();
  }
}

function watchPath(context: ApiContext, request: WatchRequest): string {
  // Spread over five to ten minutes, so that the watches of a cluster's nodes do not end together.
  const seconds = 300 + Math.floor(context.clock.random() * 300);
  const query = new URLSearchParams([
    nodeSelector(request.nodeName),
    ["watch", "true"],
    ["allowWatchBookmarks", "true"],
    ["timeoutSeconds", String(seconds)],
    ["resourceVersion", request.resourceVersion],
  ]);
  return `/api/v1/pods?${query}`;
}

async function readLines(response: IncomingMessage, onLine: (line: string) => void): Promise<void> {
  const decoder = new LineDecoder();
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const line of decoder.push(chunk)) {
      if (line.trim() !== "") {
        onLine(line);
      }
    }
    if (decoder.pending > maxLineLength) {
      throw new ApiError("malformed", `the watch of pods sent a line of more than ${maxLineLength} characters`);
    }
  }
  if (decoder.pending > 0) {
    throw new ApiError("unreachable", "the watch of pods ended in the middle of a line");
  }
}

function silent(milliseconds: number): ApiError {
  const seconds = Math.round(milliseconds / 1_000);
  return new ApiError("timeout", `the watch of pods was silent for ${seconds} s: check the network to the API server`);
}
