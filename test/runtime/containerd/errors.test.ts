// What people read when the socket is not what it should be: over real sockets, one line with the cause and the mend.
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { connectContainerd } from "../../../src/runtime/containerd/containerd-runtime.ts";
import { RuntimeError } from "../../../src/runtime/runtime-error.ts";
import { createTempFolder, type TempFolder } from "../../support/temp.ts";

let folder: TempFolder | undefined;
let stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
  folder?.remove();
  folder = undefined;
});

function place(name: string): string {
  folder ??= createTempFolder();
  return join(folder.path, name);
}

async function listen(server: Pick<Server, "listen" | "close">, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  stops.push(() => server.close());
}

/** The error of a first question to the daemon at `path`. */
async function errorAt(path: string, timeoutMs = 5_000): Promise<RuntimeError> {
  const runtime = connectContainerd({ endpoint: `unix://${path}`, namespaces: ["k8s.io"] });
  try {
    await runtime.observe({ timeoutMs });
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  } finally {
    await runtime.close();
  }
  throw new Error("the runtime answered");
}

test("a missing socket is unavailable and asks whether containerd runs", async () => {
  const error = await errorAt(place("none.sock"));

  expect(error).toMatchObject({ code: "unavailable", operation: "list namespaces" });
  expect(error.message).toMatch(/^list namespaces: no socket at .*none\.sock: is containerd running\?/);
});

test("a regular file and a folder are called no socket", async () => {
  writeFileSync(place("file"), "");
  mkdirSync(place("folder"));

  for (const name of ["file", "folder"]) {
    const error = await errorAt(place(name));

    expect(error.code).toBe("unavailable");
    expect(error.message).toContain("is not a socket");
  }
});

test("a daemon that accepts and never answers is a timeout after the time that was allowed", async () => {
  const open: Socket[] = [];
  await listen(
    createServer((socket) => open.push(socket)),
    place("hung.sock"),
  );
  stops.unshift(() => {
    for (const socket of open) socket.destroy();
  });

  const error = await errorAt(place("hung.sock"), 300);

  expect(error.code).toBe("timeout");
  expect(error.message).toContain("no answer within 0.3 s");
});

test("a server that hangs up at once is unavailable", async () => {
  await listen(
    createServer((socket) => socket.destroy()),
    place("closing.sock"),
  );

  expect((await errorAt(place("closing.sock"))).code).toBe("unavailable");
});

test("a server of HTTP/1 is named as not speaking gRPC", async () => {
  await listen(
    createHttp1Server((_, response) => response.end("hello")),
    place("http1.sock"),
  );

  const error = await errorAt(place("http1.sock"));

  expect(error.code).toBe("unavailable");
  expect(error.message).toContain("does not speak gRPC");
});

test("a server of HTTP/2 without gRPC is named as not speaking gRPC", async () => {
  const server = createHttp2Server((_, response) => response.writeHead(404).end());
  await listen(server, place("http2.sock"));

  expect((await errorAt(place("http2.sock"))).message).toContain("does not speak gRPC");
});

test("a call that its caller stops ends at once and says so", async () => {
  const open: Socket[] = [];
  await listen(
    createServer((socket) => open.push(socket)),
    place("hung.sock"),
  );
  stops.unshift(() => {
    for (const socket of open) socket.destroy();
  });
  const runtime = connectContainerd({ endpoint: place("hung.sock"), namespaces: ["k8s.io"] });
  stops.unshift(() => runtime.close());

  const observed = runtime.observe({ signal: AbortSignal.timeout(50) });

  await expect(observed).rejects.toThrow(/stopped by the caller/);
});
