// The HTTP server: metrics and probes, and clear words when it cannot listen.
import { createServer } from "node:net";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpServer, type HttpServerInput, startHttpServer } from "../../src/report/http-server.ts";
import { createMetrics } from "../../src/report/metrics.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(more: Partial<HttpServerInput> = {}): Promise<HttpServer> {
  const nothing = () => undefined;
  const server = await startHttpServer({
    listen: "127.0.0.1:0",
    registry: createMetrics({ version: "1", runtime: "embedded", runtimeVersion: "1" }).registry,
    alive: nothing,
    ready: nothing,
    ...more,
  });
  cleanups.push(() => server.close());
  return server;
}

describe("the HTTP server", () => {
  it("answers /metrics in the format of Prometheus", async () => {
    const { url } = await start();

    const response = await fetch(`${url}/metrics`);

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain("prunelet_build_info{");
  });

  it.each(["healthz", "readyz"])("answers /%s with ok, with a query as well", async (path) => {
    const { url } = await start();

    const response = await fetch(`${url}/${path}?verbose`);

    expect([response.status, await response.text()]).toEqual([200, "ok\n"]);
  });

  it("answers a probe with 503 and what is wrong", async () => {
    const { url } = await start({ ready: () => "the node was not observed yet" });

    const [alive, ready] = await Promise.all([fetch(`${url}/healthz`), fetch(`${url}/readyz`)]);

    expect([alive.status, ready.status]).toEqual([200, 503]);
    expect(await ready.text()).toBe("the node was not observed yet\n");
  });

  it("asks the probes anew each time", async () => {
    let problem: string | undefined = "starting";
    const { url } = await start({ ready: () => problem });
    const before = await fetch(`${url}/readyz`);

    problem = undefined;
    const after = await fetch(`${url}/readyz`);

    expect([before.status, after.status]).toEqual([503, 200]);
  });

  it("answers other paths with 404 and other methods with 405", async () => {
    const { url } = await start();

    const missing = await fetch(`${url}/metrics/`);
    const posted = await fetch(`${url}/metrics`, { method: "POST", body: "x" });

    expect(missing.status).toBe(404);
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("answers HEAD without a body", async () => {
    const { url } = await start();

    const response = await fetch(`${url}/metrics`, { method: "HEAD" });

    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("answers 500 when the metrics cannot be made, and goes on", async () => {
    const registry = new Registry();
    registry.metrics = () => Promise.reject(new Error("broken"));
    const { url } = await start({ registry });

    const response = await fetch(`${url}/metrics`);

    expect([response.status, (await fetch(`${url}/healthz`)).status]).toEqual([500, 200]);
  });

  it.each([
    ["127.0.0.1:0", "127.0.0.1"],
    ["0.0.0.0:0", "127.0.0.1"],
    [":0", "127.0.0.1"],
    ["localhost:0", "localhost"],
  ])("listens on %s and says where it can be reached", async (listen, host) => {
    const { url } = await start({ listen });

    expect(new URL(url).hostname).toBe(host);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it("refuses an address that is taken, with the mend", async () => {
    const { url } = await start();
    const listen = new URL(url).host;

    await expect(start({ listen })).rejects.toThrow(`cannot listen on ${listen} (EADDRINUSE): choose another address`);
  });

  it.each(["here", "", "9095", "host:99999", "host:http"])(
    "refuses %j as an address, with the form",
    async (listen) => {
      await expect(start({ listen })).rejects.toThrow(/write host:port/);
    },
  );

  it("closes at once although a client keeps its connection open", async () => {
    const server = await start();
    await (await fetch(`${server.url}/healthz`)).text();

    await server.close();

    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  it("gives its port back when it is closed", async () => {
    const server = await start();
    const { port } = new URL(server.url);

    await server.close();

    const next = createServer().listen(Number(port), "127.0.0.1");
    await new Promise((resolve, reject) => next.once("listening", resolve).once("error", reject));
    await new Promise((resolve) => next.close(resolve));
    expect(next.listening).toBe(false);
  });
});
