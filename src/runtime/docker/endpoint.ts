// Where the engine listens: a unix socket, or TCP with or without TLS, spelled as Docker's own clients spell it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RuntimeError } from "../runtime-error.ts";

/** The socket that an engine listens on unless it is told otherwise. */
export const defaultEndpoint = "unix:///var/run/docker.sock";

const plainPort = 2375;
const tlsPort = 2376;

/** What proves both sides to each other. PEM texts; without `ca` the well-known authorities count. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export type Address =
  | { readonly kind: "unix"; readonly path: string; readonly source?: AddressSource }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly tls?: TlsMaterial;
      readonly source?: AddressSource;
    };

/** What an address comes from, and so what is to be corrected when it is wrong. */
export type AddressSource = "--endpoint" | "DOCKER_HOST";

/** How TCP is protected (`DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`). */
export interface TlsSettings {
  /** TLS for `tcp://` as well; `https://` always has it. Default false. */
  readonly verify?: boolean;
  /** Folder of `ca.pem`, `cert.pem` and `key.pem`, each where it is there. Default: none of them. */
  readonly certPath?: string;
}

/** The settings that Docker's clients take from the environment. */
export function tlsFromEnvironment(env: Readonly<Record<string, string | undefined>>): TlsSettings {
  const verify = (env["DOCKER_TLS_VERIFY"] ?? "") !== "";
  const certPath = env["DOCKER_CERT_PATH"] || (env["HOME"] === undefined ? "" : join(env["HOME"], ".docker"));
  return certPath === "" ? { verify } : { verify, certPath };
}

/** Reads an endpoint. Throws `invalid-argument` for one that is none, or whose certificates cannot be read. */
export function parseEndpoint(endpoint: string, tls: TlsSettings = {}, source?: AddressSource): Address {
  const unixPath = /^(?:unix:\/\/)?(\/.+)$/.exec(endpoint)?.[1];
  const from = source === undefined ? {} : { source };
  if (unixPath !== undefined) return { kind: "unix", path: unixPath, ...from };
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^(?:tcp|http|https):$/.test(url.protocol) || url.hostname === "") refuse(endpoint, source);
  const secure = url.protocol === "https:" || (url.protocol === "tcp:" && tls.verify === true);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? defaultPort(url.protocol, secure) : Number(url.port);
  return { kind: "tcp", host, port, ...(secure ? { tls: readMaterial(tls.certPath) } : {}), ...from };
}

/** The address as people write it. */
export function describeAddress(address: Address): string {
  if (address.kind === "unix") return address.path;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.tls === undefined ? "tcp" : "https"}://${host}:${address.port}`;
}

/** A URL drops the port that its scheme has by default. */
function defaultPort(protocol: string, secure: boolean): number {
  if (protocol === "http:") return 80;
  return secure ? tlsPort : plainPort;
}

function readMaterial(folder: string | undefined): TlsMaterial {
  if (folder === undefined) return {};
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => readIfThere(join(folder, name)));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new RuntimeError("denied", "connect", `cannot read ${file} (${why}): check DOCKER_CERT_PATH`, error);
  }
}

function refuse(endpoint: string, source: AddressSource | undefined): never {
  const forms = "unix:///var/run/docker.sock, tcp://host:2375 or https://host:2376";
  throw new RuntimeError(
    "invalid-argument",
    "connect",
    `${source === undefined ? "" : `${source}: `}"${endpoint}" is no address of a Docker Engine: write ${forms}`,
  );
}
