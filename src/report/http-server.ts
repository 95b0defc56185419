// The HTTP server of the agent: /metrics for Prometheus, /healthz and /readyz for the kubelet.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** Answers a probe: undefined when all is well, else one line that says what is wrong. */
export type Probe = () => string | undefined;

export interface HttpServerInput {
  /** `host:port`; an empty host means all addresses, port 0 any free one. */
  readonly listen: string;
  readonly registry: Registry;
  readonly alive: Probe;
  readonly ready: Probe;
}

export interface HttpServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the server. Rejects with one clear line when the address cannot be used. */
export async function startHttpServer(input: HttpServerInput): Promise<HttpServer> {
  const { host, port } = parseListen(input.listen);
  const server = createServer((request, response) => {
    answer(input, request, response).catch((error: unknown) => {
      response.writeHead(500).end(`${String(error)}\n`);
    });
  });
  server.requestTimeout = 10_000;
  await listen(server, host, port, input.listen);
  const address = server.address() as AddressInfo;
  const name = host === "" || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return { url: `http://${name.includes(":") ? `[${name}]` : name}:${address.port}`, close: () => close(server) };
}

async function answer(
  { registry, alive, ready }: HttpServerInput,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end("only GET is answered here\n");
    return;
  }
  switch (request.url?.split("?", 1)[0]) {
    case "/metrics": {
      const body = await registry.metrics();
      response.writeHead(200, { "content-type": registry.contentType }).end(body);
      return;
    }
    case "/healthz":
      return probe(alive, response);
    case "/readyz":
      return probe(ready, response);
    default:
      response
        .writeHead(404, { "content-type": "text/plain" })
        .end("prunelet answers /metrics, /healthz and /readyz\n");
  }
}

function probe(check: Probe, response: ServerResponse): void {
  const problem = check();
  response.writeHead(problem === undefined ? 200 : 503, { "content-type": "text/plain" }).end(`${problem ?? "ok"}\n`);
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new Error(`cannot listen on ${JSON.stringify(text)}: write host:port, e.g. 0.0.0.0:9095`);
  return { host: (match[1] as string).replace(/^\[(.*)\]$/, "$1"), port };
}

function listen(server: Server, host: string, port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // On, not once: a connection that the kernel cannot take later is no reason to end the agent.
    server.on("error", (error: NodeJS.ErrnoException) => {
      reject(
        new Error(`cannot listen on ${text} (${error.code}): choose another address with http.listen or --listen`),
      );
    });
    server.listen({ port, ...(host === "" ? {} : { host }) }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
