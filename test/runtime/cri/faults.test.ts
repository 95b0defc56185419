// Servers that are not there, not CRI, slow, restarted in the middle or cut short: one clear line each, and the next look works.
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { hexOf } from "../../../src/image/digest.ts";
import { connectCri } from "../../../src/runtime/cri/cri-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { RuntimeError } from "../../../src/runtime/runtime-error.ts";
import { digestOf } from "../../support/node-builder.ts";
import { useFakeCri } from "./harness.ts";

const fake = useFakeCri();
const web = digestOf("config web");
const wholeWeb = { id: web, target: web, names: ["a:1"], pinned: false };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function errorOf(work: Promise<unknown>): Promise<RuntimeError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RuntimeError);
  expect((error as RuntimeError).message).not.toContain("\n");
  return error as RuntimeError;
}

function runtimeAt(path: string): ContainerRuntime {
  const runtime = connectCri({ endpoint: path });
  closers.push(() => runtime.close());
  return runtime;
}

async function listening(server: Server | Http2Server): Promise<ContainerRuntime> {
  const connections = new Set<{ destroy(): void }>();
  server.on("connection", (connection) => connections.add(connection));
  await new Promise<void>((resolve) => server.listen(fake.socket, () => resolve()));
  closers.push(() => {
    for (const connection of connections) connection.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return runtimeAt(fake.socket);
}

describe("a socket", () => {
  test("that is missing is named, with the mend", async () => {
    const error = await errorOf(runtimeAt("/nonexistent/crio.sock").observe());

    expect(error).toMatchObject({ code: "unavailable" });
    expect(error.message).toMatch(/no socket at \/nonexistent\/crio\.sock: is the runtime running\?.*--endpoint/);
  });

  test("of a server without CRI is told from one that is broken", async () => {
    fake.become({ speaks: [] });
    const runtime = await fake.connect();

    for (const error of [await errorOf(runtime.observe()), await errorOf(runtime.info())]) {
      expect(error).toMatchObject({
        code: "unsupported",
        message: /does not speak CRI v1 or v1alpha2: .*too old.*switched off/,
      });
    }
  });

  test("that accepts and never answers is a timeout", async () => {
    const runtime = await listening(createServer(() => {}));

    const error = await errorOf(runtime.observe({ timeoutMs: 150 }));

    expect(error).toMatchObject({ code: "timeout", message: /no answer within .* s from / });
  });

  test("that speaks something else is told", async () => {
    const runtime = await listening(createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH\r\n")));

    expect(await errorOf(runtime.observe({ timeoutMs: 2_000 }))).toMatchObject({ code: "unavailable" });
  });
});

describe("an answer", () => {
  test("that is cut short is a failure, never an empty list", async () => {
    const server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
      // A message of 100 bytes is announced, three come.
      stream.end(Buffer.from([0, 0, 0, 0, 100, 1, 2, 3]));
    });

    const error = await errorOf((await listening(server)).observe({ timeoutMs: 2_000 }));

    expect(error).toMatchObject({ code: "unavailable", message: /was cut short/ });
  });

  test("without its message is no sign that CRI is not there", async () => {
    const server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end();
    });

    const error = await errorOf((await listening(server)).observe({ timeoutMs: 2_000 }));

    expect(error).toMatchObject({ code: "unavailable", message: /was cut short/ });
  });

  test("that comes too late is a timeout, and the next look works", async () => {
    fake.node.images = [{ id: hexOf(web), repoTags: ["a:1"], repoDigests: [] }];
    const runtime = await fake.connect();
    let answer = (): void => undefined;
    fake.node.before.set("ListImages", () => new Promise<void>((resolve) => (answer = resolve)));

    const error = await errorOf(runtime.observe({ timeoutMs: 200 }));
    fake.node.before.clear();
    answer();
    const { namespaces } = await runtime.observe({ timeoutMs: 5_000 });

    expect(error.code).toBe("timeout");
    expect(namespaces[0]?.names).toHaveLength(1);
  });

  test("about containers that fails makes the whole look fail: half a view would look like images that nobody uses", async () => {
    fake.node.images = [{ id: hexOf(web), repoTags: ["a:1"], repoDigests: [] }];
    const runtime = await fake.connect();
    fake.node.before.set("ListContainers", () => {
      throw new Error("database is locked");
    });

    expect(await errorOf(runtime.observe())).toMatchObject({ operation: "cri list containers" });
    expect(await errorOf(runtime.containers("cri"))).toMatchObject({ operation: "cri list containers" });
  });
});

describe("a runtime that restarts", () => {
  test("in the middle of a removal is unavailable, and serves the next one", async () => {
    fake.node.images = [{ id: hexOf(web), repoTags: ["a:1"], repoDigests: [] }];
    const runtime = await fake.connect();
    await runtime.observe();
    fake.node.before.set("RemoveImage", () => {
      void fake.stop();
      throw new Error("killed");
    });

    const error = await errorOf(runtime.removeImage("cri", wholeWeb, { timeoutMs: 5_000 }));
    fake.node.before.clear();
    await fake.serve();
    const again = await runtime.removeImage("cri", wholeWeb, { timeoutMs: 5_000 });

    expect(error).toMatchObject({ code: "unavailable", operation: "remove image" });
    expect(again).toEqual({ kind: "removed", names: ["a:1"] });
  });

  test("as another API version is spoken to in that one", async () => {
    fake.become({ speaks: ["v1alpha2"] });
    const runtime = await fake.connect();
    const before = await runtime.info();
    await fake.stop();
    fake.become({ speaks: ["v1"] });
    await fake.serve();

    const after = await runtime.info();

    expect([before.apiVersions, after.apiVersions]).toEqual([{ cri: "v1alpha2" }, { cri: "v1" }]);
  });
});
