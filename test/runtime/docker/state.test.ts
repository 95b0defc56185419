// What the Docker adapter makes of an engine's answers: names, images, containers.
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectDocker, dockerNamespace } from "../../../src/runtime/docker/docker-runtime.ts";
import { namesOf } from "../../../src/runtime/docker/names.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { digestOf } from "../../support/node-builder.ts";
import { type FakeEngine, startFakeEngine } from "./fake-engine.ts";

const [one, two, manifest] = [digestOf("one"), digestOf("two"), digestOf("manifest")];

let engine: FakeEngine;
let runtime: ContainerRuntime;

beforeEach(async () => {
  engine = await startFakeEngine();
  runtime = connectDocker({ endpoint: engine.endpoint });
});
afterEach(async () => {
  await runtime.close();
  await engine.stop();
});

async function observed() {
  const [namespace] = (await runtime.observe()).namespaces;
  if (namespace === undefined) throw new Error("an engine has one namespace");
  return namespace;
}

test("names are in full form, an image without any is dangling, one beneath others has no name", async () => {
  engine.images = [
    { Id: one, RepoTags: ["app:1", "quay.io/a/b:2"], RepoDigests: [`app@${manifest}`], ParentId: two },
    { Id: two, RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] },
    { Id: manifest, RepoTags: [] },
  ];

  const { names, images } = await observed();

  expect(names.map(({ name, target }) => [name, target])).toEqual([
    ["docker.io/library/app:1", one],
    ["quay.io/a/b:2", one],
    [`docker.io/library/app@${manifest}`, one],
    [`moby-dangling@${manifest}`, manifest],
  ]);
  expect(images.map(({ target, parent }) => [target, parent])).toEqual([
    [one, two],
    [two, undefined],
    [manifest, undefined],
  ]);
  expect(images[0]?.digests).toEqual([one, manifest]);
});

test("only what an image has to itself is counted as freed", async () => {
  engine.images = [{ Id: one, RepoTags: ["app:1"], Size: 100, SharedSize: 70 }];

  const { images, held } = await observed();

  expect(images[0]?.snapshots.map(({ size }) => size)).toEqual([70, 30]);
  expect(held.snapshots).toEqual([images[0]?.snapshots[0]?.key]);
});

test("containers of every state keep their spelling, which is asked for once", async () => {
  engine.containers = ["created", "running", "restarting", "paused", "exited", "dead", "strange"].map((State, i) => ({
    Id: `c${i}`,
    ImageID: one,
    State,
    image: `app:${i}`,
  }));

  const first = await runtime.containers(dockerNamespace);
  const asked = engine.requests.length;
  await runtime.containers(dockerNamespace);

  expect(first.map(({ state }) => state)).toEqual([
    "created",
    "running",
    "running",
    "paused",
    "exited",
    "exited",
    "unknown",
  ]);
  expect(first.map(({ image }) => image)).toEqual(["app:0", "app:1", "app:2", "app:3", "app:4", "app:5", "app:6"]);
  expect(engine.requests.length - asked).toBe(1);
});

test.each([
  { tags: ["r:1"], digests: [`r@${one}`], stored: ["docker.io/library/r:1"] },
  { tags: ["r:1", `r@${one}`], digests: [`r@${one}`], stored: ["docker.io/library/r:1", `docker.io/library/r@${one}`] },
  { tags: ["r:1"], digests: [`r@${one}`, `r@${one}`], stored: ["docker.io/library/r:1", `docker.io/library/r@${one}`] },
  {
    tags: ["r:1", "r:2"],
    digests: [`r@${one}`, `r@${one}`],
    stored: ["docker.io/library/r:1", "docker.io/library/r:2"],
  },
  { tags: [], digests: [`r@${one}`], stored: [`docker.io/library/r@${one}`] },
])("of records $tags and digests $digests, $stored are stored", ({ tags, digests, stored }) => {
  expect(namesOf({ Id: one, RepoTags: tags, RepoDigests: digests }, "records")).toEqual(stored);
});

test("another namespace is refused", async () => {
  await expect(runtime.containers("k8s.io")).rejects.toMatchObject({ code: "invalid-argument" });
});

test("what an engine cannot do is said", async () => {
  const dangling = { name: `moby-dangling@${one}`, target: one, labels: {} };

  await expect(runtime.createName(dockerNamespace, dangling)).rejects.toMatchObject({ code: "unsupported" });
  const bytes = runtime.readBlob(dockerNamespace, one)[Symbol.asyncIterator]();
  await expect(bytes.next()).rejects.toMatchObject({ code: "unsupported" });
});
