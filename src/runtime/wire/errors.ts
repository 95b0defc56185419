// One function turns whatever a call threw into the error of the runtime port, with the cause and the mend.
import { statSync } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { RuntimeError, type RuntimeErrorCode } from "../runtime-error.ts";

const codes: ReadonlyMap<Code, RuntimeErrorCode> = new Map([
  [Code.Unavailable, "unavailable"],
  [Code.Aborted, "unavailable"],
  [Code.DeadlineExceeded, "timeout"],
  [Code.Canceled, "unavailable"],
  [Code.NotFound, "not-found"],
  [Code.AlreadyExists, "conflict"],
  [Code.FailedPrecondition, "conflict"],
  [Code.PermissionDenied, "denied"],
  [Code.Unauthenticated, "denied"],
  [Code.InvalidArgument, "invalid-argument"],
  [Code.Unimplemented, "unsupported"],
]);

/** What a failed call was about: its name, the socket it went to, and how long it was given. */
export interface FailedCall {
  readonly operation: string;
  readonly socket: string;
  /** What the program behind the socket is called, e.g. `containerd`. */
  readonly server: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** True when the caller's own signal ended the call. */
  readonly stopped: boolean;
}

/** `cause` as a `RuntimeError`; one that is already is returned as it is. */
export function toRuntimeError(cause: unknown, call: FailedCall): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  if (call.stopped) {
    return new RuntimeError("timeout", call.operation, "stopped by the caller before the daemon answered", cause);
  }
  const socketProblem = describeSocketProblem(cause, call);
  if (socketProblem) return new RuntimeError(socketProblem.code, call.operation, socketProblem.message, cause);
  if (!(cause instanceof ConnectError)) {
    return new RuntimeError("internal", call.operation, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (isCutShort(cause)) {
    const message = `the answer from ${call.socket} was cut short: the daemon stopped or restarted (${cause.rawMessage})`;
    return new RuntimeError("unavailable", call.operation, message, cause);
  }
  const code = codes.get(cause.code) ?? "internal";
  return new RuntimeError(code, call.operation, explain(cause, call), cause);
}

/** Our own client gives half an answer codes that read as if the daemon had refused the call. */
export function isCutShort(cause: ConnectError): boolean {
  return cause.rawMessage.startsWith("protocol error:");
}

function explain(cause: ConnectError, call: FailedCall): string {
  switch (cause.code) {
    case Code.DeadlineExceeded:
      return `no answer within ${call.timeoutMs / 1000} s from ${call.socket}: the daemon hangs or is overloaded, look at its log`;
    case Code.Unimplemented:
      return `the server at ${call.socket} does not offer this call: it is not ${call.server} or too old (${cause.rawMessage})`;
    case Code.Unavailable:
    case Code.Aborted:
    case Code.Canceled:
      return `the daemon at ${call.socket} is not available: ${cause.rawMessage}`;
    case Code.PermissionDenied:
    case Code.Unauthenticated:
      return `denied by the daemon: ${cause.rawMessage}`;
    default:
      return cause.rawMessage;
  }
}

interface SocketProblem {
  readonly code: RuntimeErrorCode;
  readonly message: string;
}

/** Says why nothing could be talked to at all; undefined when the daemon did answer. */
function describeSocketProblem(cause: unknown, { socket, server }: FailedCall): SocketProblem | undefined {
  const systemCodes = systemCodesOf(cause);
  if (systemCodes.has("ENOENT")) {
    return {
      code: "unavailable",
      message: `no socket at ${socket}: is ${server} running? Start it, or name its socket with --endpoint`,
    };
  }
  if (systemCodes.has("EACCES") || systemCodes.has("EPERM")) {
    return {
      code: "denied",
      message: `permission denied on ${socket}: run as root, or let the container mount the socket`,
    };
  }
  if (systemCodes.has("ECONNREFUSED") || systemCodes.has("ENOTSOCK")) return describeRefusal(socket, server);
  if (
    hasAny(systemCodes, [
      "ECONNRESET",
      "EPIPE",
      "EAGAIN",
      "ERR_HTTP2_INVALID_SESSION",
      "ERR_HTTP2_GOAWAY_SESSION",
      "ERR_HTTP2_STREAM_CANCEL",
      "ERR_HTTP2_SESSION_ERROR",
    ])
  ) {
    return { code: "unavailable", message: `the connection to ${socket} broke: the daemon stopped or restarted` };
  }
  if (systemCodes.has("ERR_HTTP2_ERROR") || speaksNoGrpc(cause)) {
    return {
      code: "unavailable",
      message: `the server at ${socket} does not speak gRPC: name ${server}'s socket with --endpoint`,
    };
  }
  return undefined;
}

function describeRefusal(socket: string, server: string): SocketProblem {
  if (isSocket(socket)) {
    return {
      code: "unavailable",
      message: `nobody listens at ${socket}: start ${server}, the socket is left from an earlier run`,
    };
  }
  return { code: "unavailable", message: `${socket} is not a socket: name ${server}'s socket with --endpoint` };
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return true;
  }
}

/** An HTTP/2 server without gRPC answers with another content type; connect reports that as an unknown error. */
function speaksNoGrpc(cause: unknown): boolean {
  return cause instanceof ConnectError && /unsupported content type|HTTP 4\d\d|HTTP 5\d\d/i.test(cause.rawMessage);
}

function hasAny(codesSeen: ReadonlySet<string>, wanted: readonly string[]): boolean {
  return wanted.some((code) => codesSeen.has(code));
}

/** The codes of Node's own errors in the chain of causes. */
function systemCodesOf(cause: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  for (let at = cause, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ("code" in at && typeof at.code === "string") found.add(at.code);
  }
  return found;
}
