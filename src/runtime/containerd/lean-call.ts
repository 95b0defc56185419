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

export interface LeanOptions {
  readonly namespace: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Each message of a gRPC body has one byte that says whether it is compressed and four that say how long it is. */
const prefixBytes = 5;

/**
 * Calls a method with one request and collects all answers. Several times cheaper than a general client. Throws what a
 * general client throws: `ConnectError`, or the error of the connection.
 */
export async function leanCall<M extends DescMethod>(
  session: SocketSession,
  method: M,
  input: MessageInitShape<M["input"]>,
  options: LeanOptions,
): Promise<readonly MessageShape<M["output"]>[]> {
  const headers = {
    "content-type": "application/grpc+proto",
    te: "trailers",
    "grpc-timeout": `${options.timeoutMs}m`,
    "containerd-namespace": options.namespace,
  };
  const body = framed(toBinary(method.input, create<M["input"]>(method.input, input)));
  const stream = await session.request("POST", `/${method.parent.typeName}/${method.name}`, headers, {});
  stream.end(body);
  const answer = await collect(stream, options);
  const output: M["output"] = method.output;
  return [...messagesIn(answer)].map((bytes) => fromBinary(output, bytes, { readUnknownFields: false }));
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(prefixBytes + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}

function* messagesIn(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at + prefixBytes <= body.length; ) {
    const end = at + prefixBytes + body.readUInt32BE(at + 1);
    if (body[at] !== 0 || end > body.length)
      throw new ConnectError("the answer is cut short or compressed", Code.Internal);
    yield body.subarray(at + prefixBytes, end);
    at = end;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The whole body of a successful answer. */
function collect(stream: ClientHttp2Stream, { timeoutMs, signal }: LeanOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let fields: Fields = {};
    const give = (error: unknown): void => {
      reject(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = setTimeout(() => give(new ConnectError("the operation timed out", Code.DeadlineExceeded)), timeoutMs);
    const abort = (): void => give(new ConnectError("stopped", Code.Canceled));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    stream.on("response", (headers) => {
      fields = headers;
    });
    stream.on("trailers", (trailers) => {
      fields = { ...fields, ...trailers };
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      const problem = problemIn(fields);
      if (problem) reject(problem);
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
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
