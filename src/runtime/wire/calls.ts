// What all gRPC adapters share about a call: its name, its deadline, who is told about it, and the one kind of error it fails with.
import type { CallOptions as WireOptions } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { toRuntimeError } from "./errors.ts";
import type { SocketSession } from "./socket-session.ts";

/** Daemons accept and send up to 16 MiB; streams may carry more in one message on patched builds. */
const maxReceiveBytes = 64 << 20;
const maxSendBytes = 16 << 20;

/** Milliseconds that a call may take when nobody says otherwise. */
export const deadlines = { unary: 10_000, list: 60_000, removal: 120_000, collection: 300_000 } as const;

/** Told about every call: its name, how long it took in seconds, and how it failed. */
export type CallObserver = (call: string, seconds: number, error?: RuntimeError) => void;

/** One call: what it is called in metrics and errors, and how long it may take. */
export interface CallSpec {
  readonly operation: string;
  /** Default `unary`. */
  readonly deadline?: keyof typeof deadlines;
}

/** What the calls of one method of the port share: when they must be over, and what stops them. */
export interface Scope {
  readonly signal?: AbortSignal;
  /** On the clock of `performance.now()`, milliseconds. */
  readonly endsAt: number;
}

/** The scope of one method of the port, starting now. */
export function scopeOf(options: CallOptions | undefined): Scope {
  const endsAt = options?.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutMs;
  return options?.signal ? { endsAt, signal: options.signal } : { endsAt };
}

/** Where calls go, and who hears of them. */
export interface Destination {
  /** Path of the socket. */
  readonly path: string;
  /** What errors call the program behind it, e.g. `containerd`. */
  readonly server: string;
  readonly onCall: CallObserver;
}

/** Makes one call. Everything thrown in `work` comes out as a `RuntimeError`. */
export async function makeCall<T>(
  { path, server, onCall }: Destination,
  { spec, scope }: { readonly spec: CallSpec; readonly scope: Scope },
  work: (options: WireOptions & { readonly timeoutMs: number }) => Promise<T>,
): Promise<T> {
  const { operation } = spec;
  const { signal } = scope;
  const startedAt = performance.now();
  const timeoutMs = Math.ceil(Math.min(deadlines[spec.deadline ?? "unary"], scope.endsAt - startedAt));
  const ended = (error?: RuntimeError): void => onCall(operation, (performance.now() - startedAt) / 1000, error);
  let result: T;
  try {
    if (timeoutMs <= 0) throw new RuntimeError("timeout", operation, "no time was left for this call: allow more time");
    result = await work(signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  } catch (thrown) {
    const stopped = signal?.aborted ?? false;
    const error = toRuntimeError(thrown, { operation, socket: path, server, timeoutMs, stopped });
    ended(error);
    throw error;
  }
  ended();
  return result;
}

/** Follows an endless stream until `signal` fires, then ends; throws a `RuntimeError` when it breaks. */
export async function* follow<T>(
  { path, server }: Destination,
  { operation, signal }: { readonly operation: string; readonly signal: AbortSignal },
  open: (options: WireOptions) => AsyncIterable<T>,
): AsyncIterable<T> {
  if (signal.aborted) return;
  try {
    yield* open({ signal });
  } catch (error) {
    if (!signal.aborted) {
      throw toRuntimeError(error, { operation, socket: path, server, timeoutMs: 0, stopped: false });
    }
  }
}

/** The transport of clients over a unix socket. */
export function grpcOver(sessionManager: SocketSession): ReturnType<typeof createGrpcTransport> {
  return createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager,
    acceptCompression: [],
    readMaxBytes: maxReceiveBytes,
    writeMaxBytes: maxSendBytes,
    // Container records carry their whole runtime spec: fields that we do not name are skipped, not kept.
    binaryOptions: { readUnknownFields: false },
  });
}
