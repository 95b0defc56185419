// Events on the node: what is written to the API server, and what happens when it does not want them.
import { expect, onTestFinished, test } from "vitest";
import type { ApiError } from "../../src/kubernetes/errors.ts";
import { createEventWriter, type EventWriter, type WrittenEvent } from "../../src/kubernetes/events.ts";
import type { ApiServer } from "../support/api-server/api-server.ts";
import { connectTo, eventually, patient, serve } from "./harness.ts";

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function event(more: Partial<WrittenEvent> = {}): WrittenEvent {
  const what = { type: "Normal", reason: "ImagesRemoved", message: "removed 1 image" } as const;
  return { name: "node-1.1", ...what, count: 1, firstAt: at, lastAt: at, ...more };
}

async function writerTo(server: ApiServer, deadlines = patient): Promise<{ writer: EventWriter; errors: ApiError[] }> {
  const errors: ApiError[] = [];
  const writer = createEventWriter({
    connection: await connectTo(server.url),
    nodeName: "node-1",
    backoff: { baseMs: 5, capMs: 20 },
    deadlines,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => writer.close(0));
  return { writer, errors };
}

test("writes an event where `kubectl describe node` finds it", async () => {
  const server = await serve();
  const { writer } = await writerTo(server);

  writer.write(event());
  await eventually(() => expect(server.events).toHaveLength(1));

  expect(server.events[0]).toMatchObject({
    metadata: { name: "node-1.1", namespace: "default" },
    involvedObject: { apiVersion: "v1", kind: "Node", name: "node-1", uid: "node-1" },
    type: "Normal",
    reason: "ImagesRemoved",
    message: "removed 1 image",
    count: 1,
    firstTimestamp: "2026-01-02T03:04:05Z",
    source: { component: "prunelet", host: "node-1" },
  });
});

test("counts up the event that is there when it happens again", async () => {
  const server = await serve();
  const { writer } = await writerTo(server);

  writer.write(event());
  writer.write(event({ count: 5, message: "again", lastAt: at + 600_000 }));
  await eventually(() => expect(server.count("patch", "events")).toBe(1));
  await eventually(() => expect(server.events[0]?.count).toBe(5));

  expect(server.events).toMatchObject([{ message: "again", lastTimestamp: "2026-01-02T03:14:05Z" }]);
});

test("writes the event anew when the API server has forgotten it", async () => {
  const server = await serve();
  const { writer } = await writerTo(server);
  writer.write(event());
  await eventually(() => expect(server.events).toHaveLength(1));

  server.forgetEvents();
  writer.write(event({ count: 2 }));

  await eventually(() => expect(server.events).toMatchObject([{ count: 2 }]));
});

test.each([
  ["answers 500", { kind: "status", code: 500 }],
  ["answers 429", { kind: "status", code: 429 }],
  ["hangs", { kind: "hang" }],
  ["resets connections", { kind: "reset" }],
] as const)("is written after all when the API server %s for a while", async (_, fault) => {
  const server = await serve();
  server.fail(fault);
  const deadlines = fault.kind === "hang" ? { ...patient, responseMs: 200 } : patient;
  const { writer, errors } = await writerTo(server, deadlines);

  writer.write(event());
  await eventually(() => expect(errors.length).toBeGreaterThan(0));
  server.heal();

  await eventually(() => expect(server.events).toHaveLength(1));
});

test("gives up at once what is not allowed, and goes on with the next", async () => {
  const server = await serve();
  server.fail({ kind: "status", code: 403 });
  const { writer, errors } = await writerTo(server);
  writer.write(event());
  await eventually(() => expect(errors.map(({ code }) => code)).toEqual(["forbidden"]));

  server.heal();
  writer.write(event({ name: "node-1.2" }));

  await eventually(() => expect(server.events.map(({ metadata }) => metadata.name)).toEqual(["node-1.2"]));
  expect(server.count("create", "events")).toBe(2);
});

test("takes an event that is there already for written", async () => {
  const server = await serve();
  const { writer: before } = await writerTo(server);
  before.write(event());
  await eventually(() => expect(server.events).toHaveLength(1));
  const { writer, errors } = await writerTo(server);

  writer.write(event());
  writer.write(event({ name: "node-1.2" }));
  await eventually(() => expect(server.events).toHaveLength(2));

  expect(errors).toEqual([]);
});

test("keeps the newest while nothing can be written, and no more than it should", async () => {
  const server = await serve();
  server.fail({ kind: "status", code: 500 });
  const { writer, errors } = await writerTo(server);
  for (let i = 0; i < 100; i++) writer.write(event({ name: `node-1.${i}` }));
  await eventually(() => expect(errors.length).toBeGreaterThan(0));

  server.heal();

  await eventually(() => expect(server.events.at(-1)?.metadata.name).toBe("node-1.99"));
  expect(server.events.length).toBeLessThanOrEqual(33);
});

test("ends in time although the API server hangs, and writes what it can before", async () => {
  const hanging = await serve();
  hanging.fail({ kind: "hang" });
  const [stuck, quick] = [await writerTo(hanging), await writerTo(await serve())];
  stuck.writer.write(event());
  quick.writer.write(event());

  const startedAt = performance.now();
  await Promise.all([stuck.writer.close(100), quick.writer.close(5_000)]);

  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(quick.errors).toEqual([]);
});
