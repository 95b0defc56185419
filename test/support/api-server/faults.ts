// The ways in which the test API server fails.
import type { IncomingMessage, ServerResponse } from "node:http";

/** How requests are answered while it lasts. */
export type Fault =
  /** The connection is accepted and nothing is ever said. */
  | { readonly kind: "hang" }
  /** Headers say 200, then nothing. */
  | { readonly kind: "silent" }
  | { readonly kind: "status"; readonly code: number; readonly message?: string; readonly retryAfter?: number }
  /** The socket is closed without an answer. */
  | { readonly kind: "reset" }
  /** The right answer, one byte at a time, `everyMs` apart. Lists only. */
  | { readonly kind: "slow"; readonly everyMs: number }
  | { readonly kind: "body"; readonly text: string };

export function failWith(
  fault: Exclude<Fault, { kind: "slow" }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
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
      if (fault.retryAfter !== undefined) response.setHeader("Retry-After", String(fault.retryAfter));
      sendStatus(response, fault.code, fault.message ?? "made to fail");
      return;
    case "body":
      response.end(fault.text);
  }
}

/** Answers with a Kubernetes `Status` object. */
export function sendStatus(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, message }));
}
