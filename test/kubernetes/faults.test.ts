// The pod source when the API server or the network misbehaves: it says so, keeps trying, and does not hammer.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../src/kubernetes/clock.ts";
import { get } from "../../src/kubernetes/request.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { connectTo, eventually, follow, namesOf, patient, reasonOf, serve } from "./harness.ts";

const shortDeadlines = { responseMs: 100, bodyMs: 200, silenceMs: 100 };

test("keeps the old pods while it reconnects, then misses nothing", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, errors } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));
  server.fail({ kind: "reset" });
  server.breakWatch();
  await eventually(() => expect(errors.length).toBeGreaterThan(2));
  server.event("ADDED", wirePod("b"));
  expect(namesOf(source)).toEqual(["a"]);

  server.heal();

  await eventually(() => expect(namesOf(source)).toEqual(["a", "b"]));
  expect(server.count("list")).toBe(1);
});

test("survives a connection that is cut in the middle of a line", async () => {
  const server = await serve();
  const { source, errors } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));

  server.breakWatch('{"type":"ADDED","object":{"metadata":{"name":"ha');
  await eventually(() => expect(errors.length).toBe(1));
  server.event("ADDED", wirePod("whole"));

  await eventually(() => expect(namesOf(source)).toEqual(["whole"]));
});

test("notices an orderly end in the middle of a line", async () => {
  const server = await serve();
  const { errors } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));

  server.send('{"type":"ADDED",');
  server.endWatches();

  await eventually(() => expect(errors[0]?.message).toBe("the watch of pods ended in the middle of a line"));
});

test("gives up on a server that accepts connections and never answers, and says so", async () => {
  const server = await serve();
  server.fail({ kind: "hang" });
  const { source } = follow(await connectTo(server.url), { deadlines: shortDeadlines });

  await eventually(() => expect(server.count("list")).toBeGreaterThan(1));

  expect(await source.ready(50)).toMatchObject({
    kind: "unsynced",
    reason: expect.stringMatching(
      /not listed yet; last error: no answer from http:\S+ within 100 ms: check the network/,
    ),
  });
});

test("gives up on a body that arrives byte by byte", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  server.fail({ kind: "slow", everyMs: 10 }, "list");
  const { source, errors } = follow(await connectTo(server.url), { deadlines: { ...patient, bodyMs: 200 } });

  await eventually(() => expect(errors[0]?.message).toMatch(/was not complete after 200 ms/));

  expect(source.view().kind).toBe("unsynced");
});

test("gives up on a body that stops", async () => {
  const server = await serve();
  server.fail({ kind: "silent" }, "list");
  const { errors } = follow(await connectTo(server.url), { deadlines: { ...patient, silenceMs: 100 } });

  await eventually(() => expect(errors[0]?.message).toMatch(/stopped for 100 ms/));
});

test.each([
  { verb: "list" as const, reason: /^cannot list pods: \S+ denies access \(403\).*grant "list" on pods/ },
  { verb: "watch" as const, reason: /^cannot watch pods: \S+ denies access \(403\).*grant "watch" on pods/ },
])("names the right that is missing to $verb pods, and recovers when it is granted", async ({ verb, reason }) => {
  const server = await serve();
  server.fail({ kind: "status", code: 403, message: "pods is forbidden" }, verb);
  const { source } = follow(await connectTo(server.url));
  await eventually(() => expect(reasonOf(source)).toMatch(reason));

  server.heal();

  await eventually(() => expect(source.view().kind).toBe("synced"));
});

test("asks nothing with credentials that come after the deadline: nobody would read the answer", async () => {
  const server = await serve();
  const connection = await connectTo(server.url);
  const slow = Promise.withResolvers<void>();
  const late = { ...connection, requestOptions: () => slow.promise.then(() => connection.requestOptions()) };
  const { signal } = new AbortController();
  const asked = get({ connection: late, clock: systemClock, deadlines: shortDeadlines, signal }, "/api/v1/pods");
  await expect(asked).rejects.toMatchObject({ code: "timeout" });

  slow.resolve();
  await pause(200);

  expect(server.requests).toEqual([]);
});

test("is unsynced at once when the credentials are no longer accepted", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url));
  await source.ready(5_000);

  server.fail({ kind: "status", code: 401 });
  server.breakWatch();

  await eventually(() =>
    expect(reasonOf(source)).toMatch(/^cannot watch pods: \S+ does not accept the credentials \(401\)/),
  );
});

test.each([
  { body: "<html>proxy</html>", why: "a page instead of JSON" },
  {
    body: '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"x"}}]}',
    why: "a pod without spec and UID",
  },
  { body: '{"metadata":{},"items":[]}', why: "a list without a version" },
  { body: '{"metadata":{"resourceVersion":"1"},"items":{}}', why: "items that are no list" },
])("does not trust $why", async ({ body }) => {
  const server = await serve();
  server.fail({ kind: "body", text: body }, "list");
  const { source, errors } = follow(await connectTo(server.url));

  await eventually(() => expect(errors.length).toBeGreaterThan(1));

  expect(errors[0]?.code).toBe("malformed");
  expect(source.view().kind).toBe("unsynced");
});

test("waits longer after each failure, within bounds", async () => {
  const server = await serve();
  server.fail({ kind: "status", code: 500 });
  const delays: unknown[] = [];
  follow(await connectTo(server.url), {
    log: (message, fields) => {
      if (message === "pods: trying again") {
        delays.push(fields?.["delayMs"]);
      }
    },
  });

  await eventually(() => expect(delays.length).toBeGreaterThanOrEqual(5));

  expect(delays.slice(0, 5)).toEqual([5, 10, 20, 20, 20]);
});

test("does not hammer a server that ends each watch at once", async () => {
  const server = await serve();
  server.fail({ kind: "body", text: "" }, "watch");
  const { errors } = follow(await connectTo(server.url));

  await eventually(() => expect(errors.length).toBeGreaterThan(2));

  expect(errors[0]?.message).toMatch(/^the API server ends each watch of pods at once/);
});

test("stops promptly while it waits for an answer", async () => {
  const server = await serve();
  server.fail({ kind: "hang" });
  const { source } = follow(await connectTo(server.url), {
    deadlines: { responseMs: 60_000, bodyMs: 60_000, silenceMs: 60_000 },
  });
  await eventually(() => expect(server.count("list")).toBe(1));
  const ready = source.ready(60_000);
  const before = performance.now();

  await source.stop();

  expect(performance.now() - before).toBeLessThan(1_000);
  expect(await ready).toEqual({ kind: "unsynced", reason: "the watch of pods was stopped" });
});

test("says how to mend it when nothing listens at the address", async () => {
  const server = await serve();
  const connection = await connectTo(server.url);
  await server.close();
  const { source } = follow(connection);

  await eventually(() =>
    expect(reasonOf(source)).toMatch(/cannot talk to the API server http:\S+: connect ECONNREFUSED/),
  );
});
