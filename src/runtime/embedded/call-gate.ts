// The door that every call of the embedded runtime passes: deadlines, aborts, and the faults that tests ask for.
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";

/** The calls of the port that can be made to fail, hang or be overtaken. */
export type EmbeddedOperation =
  | "info"
  | "observe"
  | "containers"
  | "findName"
  | "removeName"
  | "removeImage"
  | "createName"
  | "collect"
  | "remaining"
  | "readBlob"
  | "events"
  | "imageUsage"
  | "filesystems";

export interface CallGate {
  /** Resolves when the call may go on. Throws `RuntimeError` when it may not. */
  pass(operation: EmbeddedOperation, options: CallOptions | undefined): Promise<void>;
  failNext(operation: EmbeddedOperation, error: RuntimeError): void;
  beforeNext(operation: EmbeddedOperation, action: () => void): void;
  /** Makes every call of the operation wait until it is aborted, times out or the returned function is called. */
  hang(operation: EmbeddedOperation): () => void;
  callCount(operation: EmbeddedOperation): number;
  close(): void;
}

/** Milliseconds that a hanging call waits when the caller sets no deadline. */
const defaultTimeoutMs = 10_000;

interface Hang {
  readonly released: Promise<void>;
  readonly release: () => void;
}

export function createCallGate(): CallGate {
  const failures = new Map<EmbeddedOperation, RuntimeError[]>();
  const actions = new Map<EmbeddedOperation, (() => void)[]>();
  const hangs = new Map<EmbeddedOperation, Hang>();
  const counts = new Map<EmbeddedOperation, number>();
  let closed = false;

  return {
    async pass(operation, options) {
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
      if (closed) throw new RuntimeError("unavailable", operation, "the embedded runtime was closed");
      if (options?.signal?.aborted) throw aborted(operation);
      const hang = hangs.get(operation);
      if (hang !== undefined) await untilReleased(operation, hang.released, options);
      actions.get(operation)?.shift()?.();
      const failure = failures.get(operation)?.shift();
      if (failure !== undefined) throw failure;
    },
    failNext: (operation, error) => append(failures, operation, error),
    beforeNext: (operation, action) => append(actions, operation, action),
    hang(operation) {
      const hang = hangs.get(operation) ?? newHang();
      hangs.set(operation, hang);
      return () => {
        hangs.delete(operation);
        hang.release();
      };
    },
    callCount: (operation) => counts.get(operation) ?? 0,
    close() {
      closed = true;
      for (const hang of hangs.values()) hang.release();
    },
  };
}

function aborted(operation: EmbeddedOperation): RuntimeError {
  return new RuntimeError("timeout", operation, "the caller ended the call");
}

function untilReleased(
  operation: EmbeddedOperation,
  released: Promise<void>,
  options: CallOptions | undefined,
): Promise<void> {
  const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs;
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      options?.signal?.removeEventListener("abort", onAbort);
      finish();
    };
    const onAbort = () => settle(() => reject(aborted(operation)));
    const onTimeout = () =>
      settle(() => reject(new RuntimeError("timeout", operation, `no answer within ${timeoutMs} ms`)));
    const timer = setTimeout(onTimeout, timeoutMs);
    options?.signal?.addEventListener("abort", onAbort);
    released.then(() => settle(resolve), reject);
  });
}

function newHang(): Hang {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { released: promise, release: resolve };
}

function append<Value>(map: Map<EmbeddedOperation, Value[]>, operation: EmbeddedOperation, value: Value): void {
  const values = map.get(operation) ?? [];
  values.push(value);
  map.set(operation, values);
}
