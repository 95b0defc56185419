// A gRPC call with next to nothing around it, for the questions that a first look at a node asks by the ten thousand.
import { type ClientHttp2Stream, constants } from "node:http2";
import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { SocketSession } from "../wire/socket-session.ts";
import { framed, MessageSplitter } from "./grpc-framing.ts";

export interface LeanOptions {
  readonly namespace: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A method of the daemon and what it is asked. */
export interface LeanRequest<M extends DescMethod> {
  readonly method: M;
  readonly input: MessageInitShape<M["input"]>;
}

/**
 * The daemon gets more time than we take: containerd ends a stream well, in the middle of the list, when the time it was given
 * is over (`ListStream` of containers, 1.6 to 2.1), and half a list must never pass for a whole one.
 */
const daemonPatienceMs = 5_000;

/**
 * Calls a method with one request and calls `visit` with the bytes of every message of the answer, as it arrives. Several
 * times cheaper than a general client. Throws what a general client throws: `ConnectError`, or the error of the connection;
 * and what `visit` throws.
 */
export async function leanCall<M extends DescMethod>(
  session: SocketSession,
  { method, input }: LeanRequest<M>,
  options: LeanOptions,
  visit: (message: Buffer) => void,
): Promise<void> {
  const headers = {
    "content-type": "application/grpc+proto",
    te: "trailers",
    "grpc-timeout": `${options.timeoutMs + daemonPatienceMs}m`,
    "containerd-namespace": options.namespace,
  };
  const body = framed(toBinary(method.input, create<M["input"]>(method.input, input)));
  const stream = await session.request("POST", `/${method.parent.typeName}/${method.name}`, headers, {});
  stream.end(body);
  const answers = { single: method.methodKind === "unary", visit };
  await receive(stream, options, answers);
}

/** Calls a method as `leanCall` does and collects the messages of the answer. */
export async function collectLean<M extends DescMethod>(
  session: SocketSession,
  request: LeanRequest<M>,
  options: LeanOptions,
): Promise<readonly MessageShape<M["output"]>[]> {
  const output: M["output"] = request.method.output;
  const messages: MessageShape<M["output"]>[] = [];
  await leanCall(session, request, options, (bytes) => {
    messages.push(fromBinary(output, bytes, { readUnknownFields: false }));
  });
  return messages;
}

type Fields = Readonly<Record<string, unknown>>;

/** What is done with messages, and whether there has to be exactly one. */
interface Answers {
  readonly single: boolean;
  readonly visit: (message: Buffer) => void;
}

const timedOut = (): ConnectError => new ConnectError("the operation timed out", Code.DeadlineExceeded);

/** Resolves when the answer has ended well. */
function receive(
  stream: ClientHttp2Stream,
  { timeoutMs, signal }: LeanOptions,
  { single, visit }: Answers,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const endsAt = performance.now() + timeoutMs;
    const messages = new MessageSplitter(visit);
    let fields: Fields = {};
    const give = (error: unknown): void => {
      reject(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = setTimeout(() => give(timedOut()), timeoutMs);
    const abort = (): void => give(new ConnectError("stopped", Code.Canceled));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    stream.on("response", (headers) => {
      fields = headers;
    });
    stream.on("trailers", (trailers) => {
      fields = { ...fields, ...trailers };
    });
    stream.on("data", (chunk: Buffer) => {
      try {
        messages.push(chunk);
      } catch (error) {
        stream.removeAllListeners("data");
        give(error);
      }
    });
    stream.on("error", reject);
    stream.on("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      const problem = problemIn(fields) ?? messages.problemAtEnd(single);
      // A busy process reads the end of an answer before it hears of its own timer.
      if (problem ?? performance.now() >= endsAt) reject(problem ?? timedOut());
      else resolve();
    });
  });
}

/** What the status says went wrong; undefined for success. Without a status the connection broke in the middle. */
function problemIn(fields: Fields): ConnectError | undefined {
  const status = fields["grpc-status"];
  if (status === "0") return undefined;
  if (typeof status !== "string") return new ConnectError("the answer was cut short", Code.Unavailable);
  return new ConnectError(decodeMessage(fields["grpc-message"]), toCode(Number(status)));
}

function toCode(status: number): Code {
  return status in Code ? (status as Code) : Code.Unknown;
}

function decodeMessage(message: unknown): string {
  if (typeof message !== "string") return "no message";
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
