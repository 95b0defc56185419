// The one error of the runtime port: a closed set of codes, the operation that failed, and the cause.

export type RuntimeErrorCode =
  | "unavailable"
  | "timeout"
  | "not-found"
  | "conflict"
  /** The runtime itself refuses a removal, because something needs what would go. */
  | "in-use"
  | "denied"
  | "invalid-argument"
  | "unsupported"
  | "internal";

/** Thrown by every runtime adapter. `message` names the cause and, where there is one, the mend. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: RuntimeErrorCode;
  /** What was being done, e.g. `list images`. */
  readonly operation: string;

  constructor(code: RuntimeErrorCode, operation: string, message: string, cause?: unknown) {
    super(`${operation}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.operation = operation;
  }
}
