// The Docker adapter and engines that misbehave: one clear line each, and the truth about what was removed.
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Digest } from "../../../src/image/digest.ts";
import { connectDocker, dockerNamespace } from "../../../src/runtime/docker/docker-runtime.ts";
import type { ContainerRuntime, RuntimeEvent } from "../../../src/runtime/runtime.ts";
import { digestOf } from "../../support/node-builder.ts";
import { createTempFolder } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";
import { type FakeEngine, type Fault, startFakeEngine } from "./fake-engine.ts";

const one = digestOf("one");
const name = "docker.io/library/app:1";
const containerdStore = [["driver-type", "io.containerd.snapshotter.v1"]];

let engine: FakeEngine;
let runtime: ContainerRuntime;

beforeEach(async () => {
  engine = await startFakeEngine();
  engine.images = [{ Id: one, RepoTags: ["app:1"], Size: 10 }];
  runtime = connectDocker({ endpoint: engine.endpoint, events: { idleMs: 20 } });
});
afterEach(async () => {
  await runtime.close();
  await engine.stop();
});

/** Answers requests of one method and path with a status and a body. */
function answering(method: string, path: RegExp, status: number, body: string): Fault {
  return (request, response) => {
    if (request.method !== method || !path.test(request.url ?? "")) return false;
    response.writeHead(status).end(body);
    return true;
  };
}

function remove(target: Digest = one) {
  return runtime.removeName(dockerNamespace, name, target);
}

test.each([
  ["1.41", "/v1.41/info"],
  ["1.24", "/v1.24/info"],
  ["1.99", "/v1.51/info"],
])("an engine of API %s is asked in the newest version that both speak", async (apiVersion, asked) => {
  engine.apiVersion = apiVersion;
  const urls: (string | undefined)[] = [];
  engine.fault = ({ url }) => {
    urls.push(url);
    return false;
  };

  const info = await runtime.info();

  expect(info.apiVersions).toEqual({ docker: asked.slice(2, 6) });
  expect(urls).toEqual(["/_ping", asked]);
});

test("an engine that is too old is refused with the version that is needed", async () => {
  engine.apiVersion = "1.23";

  await expect(runtime.observe()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/speaks API 1\.23, prunelet needs 1\.24 .* update the engine/),
  });
});

test("an engine that is too new is refused in its own words", async () => {
  engine.apiVersion = "2.10";
  engine.fault = answering(
    "GET",
    /info/,
    400,
    '{"message":"client version 1.51 is too old. Minimum supported API version is 2.0"}',
  );

  await expect(runtime.observe()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/Minimum supported API version is 2\.0\): use another version of prunelet/),
  });
});

test("a server that is no engine is told apart", async () => {
  engine.apiVersion = undefined;
  engine.fault = answering("GET", /_ping/, 200, "<html>welcome</html>");

  await expect(runtime.info()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("does not answer as a Docker Engine does"),
  });
});

test("an engine that comes back with another image store is known as such", async () => {
  const before = await runtime.observe();
  await engine.goAway();
  engine.driverStatus = containerdStore;
  await engine.comeBack();

  const after = await runtime.observe();

  expect([before.runtime.imageStore, after.runtime.imageStore]).toEqual(["graph-driver", "containerd"]);
});

test("a missing socket, a file in its place and a socket that nobody listens at are told apart", async () => {
  const folder = createTempFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  const messages: string[] = [];
  await engine.goAway();
  try {
    for (const path of [join(folder.path, "none.sock"), file]) {
      const absent = connectDocker({ endpoint: `unix://${path}` });
      await absent.info().catch((error: Error) => messages.push(error.message));
    }
  } finally {
    folder.remove();
    await engine.comeBack();
  }

  expect(messages).toEqual([
    expect.stringMatching(
      /^ping: no socket at .*: is the engine running\? Start it, or name its socket with --endpoint$/,
    ),
    expect.stringMatching(/^ping: .* is not a socket: name the engine's socket with --endpoint$/),
  ]);
});

test("an engine that accepts connections and says nothing is given up after the deadline", async () => {
  engine.fault = () => true;

  await expect(runtime.observe({ timeoutMs: 50 })).rejects.toMatchObject({
    code: "timeout",
    message: expect.stringMatching(/^ping: no answer within 0\.05 s from /),
  });
});

test("a half-open socket is given up after the deadline", async () => {
  const folder = createTempFolder();
  const path = join(folder.path, "half.sock");
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const halfOpen = connectDocker({ endpoint: `unix://${path}` });
  try {
    await expect(halfOpen.info({ timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
  } finally {
    await halfOpen.close();
    server.close();
    folder.remove();
  }
});

test.each<[string, Fault]>([
  [
    "a body that ends early",
    (request, response) => {
      if (!request.url?.includes("/images/json")) return false;
      response.writeHead(200, { "content-length": "1000" }).write('[{"Id":');
      response.destroy();
      return true;
    },
  ],
  ["text that is cut off", answering("GET", /images\/json/, 200, '[{"Id":"sha256:')],
  ["a page of a proxy", answering("GET", /images\/json/, 200, "<html></html>")],
])("a list of images with %s is no list of images", async (_, fault) => {
  engine.fault = fault;

  await expect(runtime.observe()).rejects.toMatchObject({ name: "RuntimeError", code: "unavailable" });
});

test("a list of images that is something else names the field", async () => {
  engine.fault = answering("GET", /images\/json/, 200, '[{"Id":"nonsense","RepoTags":[]}]');

  await expect(runtime.observe()).rejects.toMatchObject({
    code: "internal",
    message: "list images: the engine's answer cannot be used: 0.Id: no digest",
  });
});

test.each([
  [403, "denied"],
  [500, "internal"],
  [503, "unavailable"],
])("status %i is %s, with the engine's words", async (status, code) => {
  engine.fault = answering("GET", /images\/json/, status, '{"message":"not today"}');

  await expect(runtime.observe()).rejects.toMatchObject({ code, message: "list images: not today" });
});

test("a question on a connection that the engine closed meanwhile is asked once more", async () => {
  await runtime.observe();
  let broken = 0;
  engine.fault = (request) => {
    if (request.method !== "GET" || broken > 0) return false;
    broken += 1;
    request.socket.destroy();
    return true;
  };

  const state = await runtime.observe();

  expect(broken).toBe(1);
  expect(state.namespaces[0]?.names.map((found) => found.name)).toEqual([name]);
});

test("a removal that the engine restarted over is not tried again, and fails", async () => {
  await runtime.observe();
  engine.fault = (request) => {
    if (request.method !== "DELETE") return false;
    request.socket.destroy();
    return true;
  };

  await expect(remove()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^remove name: the connection to .* broke: the engine stopped or restarted$/),
  });
  expect(engine.requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(1);
  engine.fault = undefined;
  expect(await remove()).toBe("removed");
});

test("an engine that says done while the name is still there is not believed", async () => {
  engine.fault = answering("DELETE", /images/, 200, `[{"Untagged":"app:1"},{"Deleted":"${one}"}]`);

  await expect(remove()).rejects.toMatchObject({
    code: "conflict",
    message: `remove name: the engine says that ${name} is removed, but it is still there`,
  });
});

test.each([
  [
    "conflict: unable to delete app:1 (must be forced) - container 0f1e2d3c4b5a is using its referenced image 1234",
    "in-use",
  ],
  ["conflict: unable to delete 1234 (cannot be forced) - image has dependent child images", "in-use"],
  ["image app:1 is in use: image used by 0f1e: image is in use by a container", "in-use"],
  ["conflict: unable to delete 1234 (must be forced) - image is referenced in multiple repositories", "conflict"],
])("a refusal with the words %j is %s", async (message, code) => {
  engine.fault = answering("DELETE", /images/, 409, JSON.stringify({ message }));

  await expect(remove()).rejects.toMatchObject({ code, message: `remove name: ${message}` });
});

test("a name that is gone, or goes while it is removed, is already gone; one that moved is left alone", async () => {
  const moved = await remove(digestOf("two"));
  engine.fault = answering("DELETE", /images/, 404, '{"message":"No such image: app:1"}');
  const faster = await remove();
  engine.fault = undefined;
  engine.images = [];
  const gone = await remove();

  expect([moved, faster, gone]).toEqual(["moved", "already-gone", "already-gone"]);
});

test("the engine is never asked to force anything", async () => {
  const urls: string[] = [];
  engine.fault = ({ url, method }) => {
    if (method === "DELETE") urls.push(url ?? "");
    return false;
  };

  await runtime.removeName(dockerNamespace, name, one, { keepParents: true });

  expect(urls).toEqual([`/v1.45/images/${name}?noprune=1`]);
});

test("a digest reference is not removed while a tag of its repository is there: the containerd image store would take it along", async () => {
  engine.driverStatus = containerdStore;
  const reference = `docker.io/library/app@${one}`;
  engine.images = [{ Id: one, RepoTags: ["app:1", `app@${one}`], RepoDigests: [`app@${one}`] }];

  const removing = runtime.removeName(dockerNamespace, reference, one);

  await expect(removing).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining(`${name} is still there`),
  });
  expect(engine.requests.some((request) => request.startsWith("DELETE"))).toBe(false);
});

test("names that went along with an earlier one count as removed, once", async () => {
  const reference = `docker.io/library/app@${digestOf("manifest")}`;
  engine.images = [{ Id: one, RepoTags: ["app:1"], RepoDigests: [`app@${digestOf("manifest")}`] }];
  engine.fault = (request, response) => {
    if (request.method !== "DELETE") return false;
    engine.images = [];
    response.end(
      JSON.stringify([{ Untagged: "app:1" }, { Untagged: `app@${digestOf("manifest")}` }, { Deleted: one }]),
    );
    return true;
  };

  const results = [await remove()];
  for (let time = 0; time < 2; time += 1) results.push(await runtime.removeName(dockerNamespace, reference, one));

  expect(results).toEqual(["removed", "removed", "already-gone"]);
});

test("events go on through silence as long as the engine is there, and end with an error when it is not", async () => {
  const stop = new AbortController();
  const heard: RuntimeEvent[] = [];
  const watching = (async () => {
    for await (const event of runtime.events(stop.signal)) heard.push(event);
  })();
  const pings = () => engine.requests.filter((request) => request === "GET /_ping").length;
  await waitFor("the engine to be asked in the silence", () => pings() >= 3);
  engine.tell({ Type: "image", Action: "push" });
  engine.tell({ Type: "image", Action: "tag" });
  engine.tell({ Type: "container", Action: "exec_start: sh" });
  engine.tell({ Type: "container", Action: "die" });
  await waitFor("both events", () => heard.length === 2);

  engine.fault = (request) => request.url === "/_ping" && request.socket.destroy() !== undefined;

  await expect(watching).rejects.toMatchObject({ name: "RuntimeError", code: "unavailable" });
  expect(heard).toEqual([
    { kind: "image", namespace: dockerNamespace },
    { kind: "container", namespace: dockerNamespace },
  ]);
});

test("events end quietly when they are not wanted any more", async () => {
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of runtime.events(stop.signal)) if (event) stop.abort();
  })();
  await waitFor("the engine to be watched", () => engine.requests.includes("GET /events"));
  engine.tell({ Type: "image", Action: "untag" });

  await expect(watching).resolves.toBeUndefined();
});

test("an engine that answers each of many questions slowly fails when the time for all of them is over", async () => {
  engine.containers = Array.from({ length: 200 }, (_, i) => ({
    Id: `c${i}`,
    ImageID: one,
    State: "running",
    image: "app",
  }));
  engine.fault = (request, response) => {
    if (!/\/containers\/c\d+\/json/.test(request.url ?? "")) return false;
    setTimeout(() => response.writeHead(404).end("{}"), 100);
    return true;
  };

  const asked = runtime.containers(dockerNamespace, { timeoutMs: 250 });

  await expect(asked).rejects.toMatchObject({ code: "timeout" });
});
