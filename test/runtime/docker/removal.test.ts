// How the Docker adapter removes from a containerd image store: the engine compares, and only what is open is asked for.
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectDocker, dockerNamespace } from "../../../src/runtime/docker/docker-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { digestOf } from "../../support/node-builder.ts";
import { type FakeEngine, startFakeEngine } from "./fake-engine.ts";

const [one, two] = [digestOf("one"), digestOf("two")];
const name = "docker.io/library/app:1";

let engine: FakeEngine;
let runtime: ContainerRuntime;

beforeEach(async () => {
  engine = await startFakeEngine();
  engine.driverStatus = [["driver-type", "io.containerd.snapshotter.v1"]];
  engine.images = [
    { Id: one, RepoTags: ["app:1"] },
    { Id: two, RepoTags: ["app:2"] },
  ];
  runtime = connectDocker({ endpoint: engine.endpoint });
});
afterEach(async () => {
  await runtime.close();
  await engine.stop();
});

const remove = (target: typeof one) => runtime.removeName(dockerNamespace, name, target, { whole: true });
const imageRequests = () => engine.requests.filter((request) => request.includes("/images/"));

test("a tag goes by one request that compares, and is looked for afterwards", async () => {
  expect(await remove(one)).toBe("removed");

  expect(engine.images.map(({ Id }) => Id)).toEqual([two]);
  expect(imageRequests()).toEqual([`DELETE /images/${name}@${one}`, `GET /images/${one}/json`]);
});

test("a tag that moved is left alone", async () => {
  expect(await remove(two)).toBe("moved");

  expect(engine.images.map(({ RepoTags }) => RepoTags)).toEqual([["app:1"], ["app:2"]]);
});

test("a tag that somebody else removed is already gone", async () => {
  engine.images = engine.images.slice(1);

  expect(await remove(one)).toBe("already-gone");
});

test("an engine that only says that the tag is removed is not believed", async () => {
  engine.fault = (request, response) => {
    if (request.method !== "DELETE") return false;
    response.end(JSON.stringify([{ Untagged: name }]));
    return true;
  };

  await expect(remove(one)).rejects.toMatchObject({ code: "conflict" });
});

test("a record that bears the tag and the digest may go first; the tag itself goes all the same", async () => {
  engine.fault = (request, response) => {
    if (request.method !== "DELETE" || !request.url?.includes("@")) return false;
    response.end(JSON.stringify([{ Untagged: `app:1@${one}` }]));
    return true;
  };

  expect(await remove(one)).toBe("removed");
  expect(engine.images.map(({ Id }) => Id)).toEqual([two]);
});

test("an image that need not go whole is looked at first: the comparison would take a nameless rest along", async () => {
  expect(await runtime.removeName(dockerNamespace, name, one)).toBe("removed");
  expect(imageRequests()).toEqual([`GET /images/${name}/json`, `DELETE /images/${name}`, `GET /images/${one}/json`]);
});

test("an engine from before the comparison is looked at first", async () => {
  engine.apiVersion = "1.43";

  expect(await remove(one)).toBe("removed");
  expect(imageRequests()).toEqual([`GET /images/${name}/json`, `DELETE /images/${name}`, `GET /images/${one}/json`]);
});

test("images are not looked at one by one for record times that nobody asks for", async () => {
  await runtime.observe({ recordTimes: false });
  expect(imageRequests().filter((request) => request !== "GET /images/json")).toEqual([]);

  await runtime.observe();
  expect(imageRequests().filter((request) => request !== "GET /images/json")).toHaveLength(2);
});
