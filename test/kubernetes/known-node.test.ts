// A node without pods is asked for, so that a wrong node name is no empty node.
import { expect, onTestFinished, test } from "vitest";
import { withKnownNode } from "../../src/kubernetes/known-node.ts";
import type { PodSource } from "../../src/kubernetes/pod-source.ts";
import { watchPods } from "../../src/kubernetes/pods.ts";
import type { ApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { connectTo, eventually, MovableClock, patient, reasonOf, serve } from "./harness.ts";

async function watched(server: ApiServer, nodeName = "node-1"): Promise<{ source: PodSource; clock: MovableClock }> {
  const clock = new MovableClock();
  const connection = await connectTo(server.url);
  const way = { connection, nodeName, clock, deadlines: patient };
  const source = withKnownNode(watchPods({ ...way, backoff: { baseMs: 10, capMs: 40 } }), way);
  onTestFinished(() => source.stop());
  source.start();
  return { source, clock };
}

test("a node that has pods is not asked for", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source } = await watched(server);

  expect(await source.ready(5_000)).toMatchObject({ kind: "synced" });
  expect(server.count("get", "nodes")).toBe(0);
});

test("a node without pods is asked for once, and is then known to be empty", async () => {
  const server = await serve();
  const { source } = await watched(server);

  expect(await source.ready(5_000)).toMatchObject({ kind: "synced", pods: [] });
  for (let i = 0; i < 5; i++) source.view();
  expect(server.count("get", "nodes")).toBe(1);
});

test("a wrong node name is told with the mend, and the node is asked for again every half minute", async () => {
  const server = await serve();
  const { source, clock } = await watched(server, "node-7");

  const first = await source.ready(5_000);
  for (let i = 0; i < 5; i++) source.view();
  clock.advance(30_000);
  source.view();
  await eventually(() => expect(server.count("get", "nodes")).toBe(2));

  expect(first).toEqual({
    kind: "unsynced",
    reason:
      "the API server knows no node node-7: check NODE_NAME or --node-name, and whether the node was removed from the cluster",
  });
});

test("a node that disappears with its pods is told, and is believed again when it is back", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, clock } = await watched(server);
  await source.ready(5_000);
  await eventually(() => expect(server.watchers).toBe(1));

  server.setNode(undefined);
  server.setPods([]);
  await eventually(() => expect(reasonOf(source)).toMatch(/knows no node node-1/));
  server.setPods([wirePod("b")]);
  clock.advance(1);

  await eventually(() => expect(source.view()).toMatchObject({ kind: "synced", pods: [{ name: "b" }] }));
});

test.each([401, 403, 500])(
  "nothing is believed of an empty node while the API server answers %d for it",
  async (code) => {
    const server = await serve();
    server.fail({ kind: "status", code }, "get", "nodes");
    const { source } = await watched(server);

    const view = await source.ready(5_000);

    expect(view).toMatchObject({ kind: "unsynced", reason: expect.stringContaining("it cannot be asked for") });
    expect(view).toMatchObject({ reason: expect.stringContaining(String(code)) });
  },
);

test("tells its listeners when the answer is there", async () => {
  const server = await serve();
  const { source } = await watched(server);
  const told: string[] = [];
  source.onChange(() => told.push(source.view().kind));

  await source.ready(5_000);

  expect(told.at(-1)).toBe("synced");
});
