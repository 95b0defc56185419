// One function turns whatever a call threw into the error of the runtime port, with the cause and the mend.
import { statSync } from "node:fs";
import { RuntimeError, type RuntimeErrorCode } from "../runtime-error.ts";
import { type Address, describeAddress } from "./endpoint.ts";

/** What a failed call was about. */
export interface FailedCall {
  readonly operation: string;
  readonly address: Address;
  /** Milliseconds that it was given. */
  readonly timeoutMs: number;
  /** What ended the call from our side: the caller's own signal, or the deadline. */
  readonly ended?: "stopped" | "late" | undefined;
}

/** `cause` as a `RuntimeError`; one that is already is returned as it is. */
export function toRuntimeError(cause: unknown, call: FailedCall): RuntimeError {
  if (cause instanceof RuntimeError) return cause;
  const { code, message } = describe(cause, call);
  return new RuntimeError(code, call.operation, message, cause);
}

const statusCodes: ReadonlyMap<number, RuntimeErrorCode> = new Map([
  [400, "invalid-argument"],
  [401, "denied"],
  [403, "denied"],
  [404, "not-found"],
  [409, "conflict"],
  [501, "unsupported"],
  [503, "unavailable"],
]);

/** The error that an answer with this status is. `message` is the engine's own. */
export function errorOfStatus(status: number, message: string, operation: string): RuntimeError {
  const said = message === "" ? `the engine answered with status ${status}` : message;
  return new RuntimeError(statusCodes.get(status) ?? "internal", operation, said);
}

type AddressOf<Kind extends Address["kind"]> = Extract<Address, { readonly kind: Kind }>;

interface Problem {
  readonly code: RuntimeErrorCode;
  readonly message: string;
}

function describe(cause: unknown, call: FailedCall): Problem {
  const { address, timeoutMs, ended } = call;
  const where = describeAddress(address);
  if (ended === "stopped") return { code: "timeout", message: "stopped by the caller before the engine answered" };
  if (ended === "late") {
    const mend = "the engine hangs or is overloaded, look at its log";
    return { code: "timeout", message: `no answer within ${timeoutMs / 1000} s from ${where}: ${mend}` };
  }
  const code = codeOf(cause);
  const known = address.kind === "unix" ? socketProblem(code, address) : networkProblem(code, address);
  if (known !== undefined) return known;
  if (code === "ECONNRESET" || code === "EPIPE") {
    return { code: "unavailable", message: `the connection to ${where} broke: the engine stopped or restarted` };
  }
  if (code?.startsWith("HPE_")) {
    return {
      code: "unavailable",
      message: `the server at ${where} does not speak HTTP: name the engine's own address with --endpoint`,
    };
  }
  return { code: "internal", message: cause instanceof Error ? cause.message : String(cause) };
}

function socketProblem(code: string | undefined, { path, source }: AddressOf<"unix">): Problem | undefined {
  const mend = source === "DOCKER_HOST" ? "correct DOCKER_HOST" : "name its socket with --endpoint";
  switch (code) {
    case "ENOENT":
      return unavailable(`no socket at ${path}: is the engine running? Start it, or ${mend}`);
    case "EACCES":
    case "EPERM":
      return {
        code: "denied",
        message: `permission denied on ${path}: run as root or as a member of the group that owns it`,
      };
    case "ECONNREFUSED":
    case "ENOTSOCK":
      return unavailable(
        isSocket(path)
          ? `nobody listens at ${path}: start the engine, the socket is left from an earlier run`
          : `${path} is not a socket: ${mend.replace("its", "the engine's")}`,
      );
    default:
      return undefined;
  }
}

/** What is wrong with an address on the network, up to the name of what is to be corrected. */
const networkMends: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there: start the engine, or correct ",
  ENOTFOUND: "there is no such host: correct ",
  EAI_AGAIN: "the host's name cannot be looked up now: try again, or correct ",
  EHOSTUNREACH: "the host cannot be reached: look at the network, or correct ",
  ENETUNREACH: "the network cannot be reached: look at the network, or correct ",
  ETIMEDOUT: "the host does not answer: look at the network, or correct ",
};

function networkProblem(code: string | undefined, address: AddressOf<"tcp">): Problem | undefined {
  if (code === undefined) return undefined;
  const where = describeAddress(address);
  const mend = networkMends[code];
  if (mend !== undefined) return unavailable(`cannot connect to ${where}: ${mend}${address.source ?? "--endpoint"}`);
  if (isCertificateProblem(code)) {
    const how =
      "DOCKER_CERT_PATH must hold the ca.pem that signed the engine's certificate, and cert.pem and key.pem if it asks for them";
    return { code: "denied", message: `TLS with ${where} failed (${code}): ${how}` };
  }
  return undefined;
}

function isCertificateProblem(code: string): boolean {
  return /CERT|ERR_TLS|ERR_SSL|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/.test(code);
}

function unavailable(message: string): Problem {
  return { code: "unavailable", message };
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return true;
  }
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}
