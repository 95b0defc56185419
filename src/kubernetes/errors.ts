// The errors of this folder: a configuration that cannot work, and a conversation with the API server that failed.

/** The kubeconfig, service account or node name is missing or wrong. `message` is one line with the cause and the mend. */
export class KubernetesConfigError extends Error {
  override readonly name = "KubernetesConfigError";

  constructor(message: string, cause?: unknown) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
  }
}

export type ApiErrorCode =
  /** The credentials were not accepted (HTTP 401). */
  | "unauthorized"
  /** The credentials lack a right (HTTP 403). */
  | "forbidden"
  /** The resource version is too old or not there yet: list again (HTTP 410, or 504 for a version from the future). */
  | "expired"
  /** There is no such object (HTTP 404). */
  | "not-found"
  /** The object is there already, or was changed meanwhile (HTTP 409). */
  | "conflict"
  /** The API server has too much to do (HTTP 429). */
  | "busy"
  /** The API server answered with another error. */
  | "refused"
  /** Nothing came in time. */
  | "timeout"
  /** No connection, or it broke. */
  | "unreachable"
  /** The answer makes no sense. */
  | "malformed";

/** A conversation with the API server that failed. `message` is one line. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  /** Milliseconds that the API server asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ApiErrorCode, message: string, cause?: unknown, retryAfterMs?: number) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The message of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return oneLine(error.errors.map(messageOf).join("; "));
  }
  return oneLine(error instanceof Error && error.message !== "" ? error.message : String(error));
}

const certificateCodes: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
]);

/** Whatever a request threw, as an `ApiError` that says which server and what to do. */
export function toApiError(error: unknown, server: string): ApiError {
  if (error instanceof ApiError) {
    return error;
  }
  const message = messageOf(error);
  if (error instanceof KubernetesConfigError) {
    return new ApiError("unreachable", message, error);
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (certificateCodes.has(code)) {
    const mend = "set certificate-authority of the cluster in the kubeconfig to the CA that signed it";
    return new ApiError(
      "unreachable",
      `the certificate of ${server} is signed by an unknown CA (${code}): ${mend}`,
      error,
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const mend = "use a server address that the certificate names, or set tls-server-name in the kubeconfig";
    return new ApiError("unreachable", `the certificate of ${server} is for another host: ${mend}`, error);
  }
  return new ApiError("unreachable", `cannot talk to the API server ${server}: ${message}${mendOf(error)}`, error);
}

/** By the code of the error: what to look at first. */
const mends: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: start the API server, or correct its address",
  ENOTFOUND: "no such host: correct the address of the API server",
  EAI_AGAIN: "the host's name cannot be resolved: look at DNS, or use an address",
  EHOSTUNREACH: "there is no way to that address: look at the network, or correct it",
  ENETUNREACH: "there is no way to that address: look at the network, or correct it",
};

function mendOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof Error && "syscall" in error && String(error.syscall).startsWith("spawn")) {
    return " (the kubeconfig's exec command cannot be started: install it, or correct its path)";
  }
  const mend = mends[code];
  return mend === undefined ? "" : ` (${mend})`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
}
