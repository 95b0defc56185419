// The own node: its labels, followed with a get and a watch, and what is said when they cannot be known.
import { expect, onTestFinished, test } from "vitest";
import { type NodeSource, type WatchNodeOptions, watchNode } from "../../src/kubernetes/node.ts";
import type { ApiServer } from "../support/api-server/api-server.ts";
import { wireNode } from "../support/api-server/node.ts";
import { connectTo, eventually, MovableClock, patient, serve } from "./harness.ts";

interface FollowedNode {
  readonly node: NodeSource;
  readonly clock: MovableClock;
}

async function followNode(server: ApiServer, options: Partial<WatchNodeOptions> = {}): Promise<FollowedNode> {
  const clock = new MovableClock();
  const node = watchNode({
    connection: await connectTo(server.url),
    nodeName: "node-1",
    clock,
    backoff: { baseMs: 10, capMs: 40 },
    deadlines: patient,
    ...options,
  });
  onTestFinished(() => node.stop());
  node.start();
  return { node, clock };
}

function labelsOf(node: NodeSource): unknown {
  const view = node.view();
  return view.kind === "known" ? view.labels : view.reason;
}

test("reads the labels with a get and follows them with a watch of that node alone, metadata only", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const { node } = await followNode(server);
  await eventually(() => expect(server.watchers).toBe(1));
  const first = labelsOf(node);

  server.setNode(wireNode({ pool: "b" }));
  await eventually(() => expect(labelsOf(node)).toEqual({ pool: "b" }));

  expect(first).toEqual({ pool: "a" });
  expect(server.requests.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`)).toEqual([
    "get nodes node-1",
    "watch nodes ",
  ]);
  const query = server.requests[1]?.query;
  expect([query?.get("fieldSelector"), query?.get("allowWatchBookmarks")]).toEqual(["metadata.name=node-1", "true"]);
  for (const { headers } of server.requests)
    expect(headers.accept).toMatch(/as=PartialObjectMetadata;g=meta.k8s.io;v1/);
});

test("tells of changed labels, and not of a heartbeat that changes nothing", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const { node } = await followNode(server);
  await eventually(() => expect(server.watchers).toBe(1));
  let told = 0;
  node.onChange(() => {
    told += 1;
  });

  server.setNode(wireNode({ pool: "a" }));
  server.setNode(wireNode({ pool: "b" }));
  await eventually(() => expect(labelsOf(node)).toEqual({ pool: "b" }));

  expect(told).toBe(1);
});

test("knows nothing of a node that the API server does not know, and learns of it when it comes", async () => {
  const server = await serve();
  server.setNode(undefined);
  const { node } = await followNode(server);
  await eventually(() => expect(server.watchers).toBe(1));
  const before = labelsOf(node);

  server.setNode(wireNode({ pool: "a" }));
  await eventually(() => expect(labelsOf(node)).toEqual({ pool: "a" }));

  expect(before).toMatch(/knows no node node-1: check NODE_NAME or --node-name/);
});

test("knows nothing any more once the node object disappears", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const { node } = await followNode(server);
  await eventually(() => expect(server.watchers).toBe(1));

  server.setNode(undefined);

  await eventually(() => expect(labelsOf(node)).toMatch(/knows no node node-1.*removed from the cluster/));
});

test("starts over after the server forgot the history, without a storm of requests", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const { node } = await followNode(server);
  await eventually(() => expect(server.watchers).toBe(1));

  server.expire();
  await eventually(() => expect(server.watchers).toBe(1));
  server.setNode(wireNode({ pool: "b" }));
  await eventually(() => expect(labelsOf(node)).toEqual({ pool: "b" }));

  expect(server.count("get", "nodes")).toBe(2);
  expect(server.count("watch", "nodes")).toBeLessThanOrEqual(3);
});

test.each([
  ["401", { kind: "status", code: 401 }, /renew the credentials; prunelet needs the right to "get" and "watch" nodes/],
  ["403", { kind: "status", code: 403 }, /grant "get" on nodes to prunelet's service account/],
  ["429", { kind: "status", code: 429 }, /has too much to do \(429\)/],
  ["500", { kind: "status", code: 500 }, /answered 500/],
  ["silence", { kind: "hang" }, /no answer from .* within 300 ms/],
] as const)(
  "says why it knows nothing while the API server answers with %s, and recovers",
  async (_, fault, reason) => {
    const server = await serve();
    server.setNode(wireNode({ pool: "a" }));
    server.fail(fault);
    const deadlines = fault.kind === "hang" ? { ...patient, responseMs: 300 } : patient;
    const { node } = await followNode(server, { deadlines });
    await eventually(() => expect(labelsOf(node)).toMatch(reason));

    server.heal();

    await eventually(() => expect(labelsOf(node)).toEqual({ pool: "a" }));
  },
);

test("knows nothing any more after a long silence", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const { node, clock } = await followNode(server, { staleAfterMs: 60_000 });
  await eventually(() => expect(server.watchers).toBe(1));

  clock.advance(61_000);

  expect(labelsOf(node)).toMatch(/no news from the API server for 61 s/);
});

test("waits as long as a busy API server asks for", async () => {
  const server = await serve();
  server.setNode(wireNode({ pool: "a" }));
  const delays: unknown[] = [];
  server.fail({ kind: "status", code: 429, retryAfter: 3 });
  await followNode(server, { log: (message, fields) => message.includes("again") && delays.push(fields?.["delayMs"]) });

  await eventually(() => expect(delays).toEqual([3_000]));
});
