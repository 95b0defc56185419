// Rounds on an engine that misbehaves in the middle: the report tells the truth, and the next round goes on.
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyHistory } from "../../../src/decide/history.ts";
import { removeAllUnused } from "../../../src/decide/policy.ts";
import { systemClock } from "../../../src/observe/clock.ts";
import { type RoundInput, runRound } from "../../../src/reconcile/round.ts";
import { connectDocker } from "../../../src/runtime/docker/docker-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { createFakePods } from "../../support/fake-pods.ts";
import { digestOf } from "../../support/node-builder.ts";
import { type FakeEngine, startFakeEngine } from "./fake-engine.ts";

const tags = [1, 2, 3, 4, 5].map((number) => `app:${number}`);
const names = tags.map((tag) => `docker.io/library/${tag}`);

let engine: FakeEngine;
let runtime: ContainerRuntime;

beforeEach(async () => {
  engine = await startFakeEngine();
  engine.images = tags.map((tag) => ({ Id: digestOf(tag), RepoTags: [tag], Size: 10 }));
  runtime = connectDocker({ endpoint: engine.endpoint });
});
afterEach(async () => {
  await runtime.close();
  await engine.stop();
});

async function round(more: Partial<RoundInput> = {}) {
  const result = await runRound({
    runtime,
    pods: createFakePods(null),
    clock: systemClock,
    history: emptyHistory("record-time"),
    policy: removeAllUnused,
    concurrency: 1,
    callTimeoutMs: 2_000,
    report: () => undefined,
    ...more,
  });
  if (result.kind !== "done") throw new Error(`the round was ${result.kind}`);
  return Object.fromEntries(result.outcome.names.map(({ name, result: became }) => [name, became.kind]));
}

test("an engine that restarts over one removal costs that one only, and the next round takes it", async () => {
  engine.fault = (request) => {
    if (request.method !== "DELETE" || !request.url?.endsWith("app:3")) return false;
    request.socket.destroy();
    return true;
  };

  const first = await round();
  engine.fault = undefined;
  const second = await round();

  expect(first).toEqual(Object.fromEntries(names.map((name) => [name, name.endsWith(":3") ? "failed" : "removed"])));
  expect(second).toEqual({ "docker.io/library/app:3": "removed" });
  expect(engine.images).toEqual([]);
});

test("an engine that only says that it removes is reported as failing, image by image", async () => {
  engine.fault = (request, response) => {
    if (request.method !== "DELETE") return false;
    response.end("[]");
    return true;
  };

  const first = await round();
  engine.fault = undefined;
  const second = await round();

  expect(new Set(Object.values(first))).toEqual(new Set(["failed"]));
  expect(second).toEqual(Object.fromEntries(names.map((name) => [name, "removed"])));
});

test("a container that the engine knows of before we do keeps its image, and that is no failure", async () => {
  engine.fault = (request, response) => {
    if (request.method !== "DELETE" || !request.url?.endsWith("app:2")) return false;
    const message =
      "conflict: unable to delete app:2 (must be forced) - container 0f1e2d3c4b5a is using its referenced image 12";
    response.writeHead(409).end(JSON.stringify({ message }));
    return true;
  };

  const became = await round();

  expect(became).toEqual(Object.fromEntries(names.map((name) => [name, name.endsWith(":2") ? "in-use" : "removed"])));
});

test("an engine that goes away for good ends the round soon, with what was removed before", async () => {
  let removals = 0;
  engine.fault = (request) => {
    if (request.method === "DELETE") removals += 1;
    if (removals < 2) return false;
    request.socket.destroy();
    return true;
  };

  const became = await round();

  expect(Object.values(became)).toEqual(["removed", "failed", "failed", "failed", "skipped"]);
  expect(engine.images.map(({ RepoTags: [tag] }) => became[`docker.io/library/${tag}`]).sort()).toEqual([
    "failed",
    "failed",
    "failed",
    "skipped",
  ]);
});

test("space that is measured at once is counted from the list of the look, and before anything is removed", async () => {
  engine.driverStatus = [["driver-type", "io.containerd.snapshotter.v1"]];

  await round({ measureAtOnce: true, history: emptyHistory("just-used") });

  const before = engine.requests.slice(
    0,
    engine.requests.findIndex((request) => request.startsWith("DELETE")),
  );
  const countOf = (wanted: string) => before.filter((request) => request === wanted).length;
  expect([countOf("GET /images/json"), countOf("GET /system/df")]).toEqual([1, 1]);
});

test("an engine gets as many removals side by side as it is told to", async () => {
  engine.images = Array.from({ length: 40 }, (_, i) => ({ Id: digestOf(`app:${i}`), RepoTags: [`app:${i}`] }));
  const waiting: ServerResponse[] = [];
  let most = 0;
  engine.fault = (request, response) => {
    if (request.method !== "DELETE") return false;
    waiting.push(response);
    most = Math.max(most, waiting.length);
    // Nobody is answered before sixteen have come; one more would come before the answers are out.
    if (waiting.length === 16) setTimeout(() => waiting.splice(0).forEach((one) => void one.end("[]")), 50);
    if (most >= 16 && waiting.length < 16) waiting.splice(0).forEach((one) => void one.end("[]"));
    return true;
  };

  await round({ concurrency: 16 });

  expect(most).toBe(16);
});
