// The pod source against a server: what it knows, how it keeps up, and when it says that it does not know.
import { expect, test } from "vitest";
import type { PodSource } from "../../src/kubernetes/pod-source.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { connectTo, eventually, follow, namesOf, reasonOf, serve } from "./harness.ts";

test("lists the pods of its own node only", async () => {
  const server = await serve();
  server.setPods([wirePod("mine"), wirePod("theirs", { node: "node-2" })]);
  const { source } = follow(await connectTo(server.url));

  const view = await source.ready(5_000);

  expect(view).toMatchObject({ kind: "synced", pods: [{ name: "mine", images: ["registry.example/app:1"] }] });
});

test("follows pods as they are added, changed and deleted, and tells its listeners", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source } = follow(await connectTo(server.url));
  await source.ready(5_000);
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });

  server.event("ADDED", wirePod("b"));
  server.event("MODIFIED", wirePod("a", { images: ["registry.example/app:2"], phase: "Succeeded" }));
  server.event("DELETED", wirePod("b"));

  await eventually(() => expect(changes).toBe(3));
  expect(source.view()).toMatchObject({
    pods: [{ name: "a", phase: "Succeeded", images: ["registry.example/app:2"] }],
  });
});

test("does not call listeners for changes that do not matter here", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, clock } = follow(await connectTo(server.url));
  await source.ready(5_000);
  await eventually(() => expect(server.watchers).toBe(1));
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  clock.advance(1_000);
  const since = clock.now();

  server.event("MODIFIED", wirePod("a", { status: { message: "nothing new" } }));

  await eventually(() => expectNewsSince(source, since));
  expect(changes).toBe(0);
});

test("stays synced by bookmarks alone", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, clock } = follow(await connectTo(server.url), { staleAfterMs: 60_000 });
  await eventually(() => expect(server.watchers).toBe(1));

  clock.advance(50_000);
  const since = clock.now();
  server.bookmark();
  await eventually(() => expectNewsSince(source, since));
  clock.advance(50_000);

  expect(namesOf(source)).toEqual(["a"]);
  expect(server.count("list")).toBe(1);
});

test("is unsynced, with the reason, when nothing was heard for too long", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, clock } = follow(await connectTo(server.url), { staleAfterMs: 60_000 });
  await eventually(() => expect(server.watchers).toBe(1));

  clock.advance(61_000);

  expect(reasonOf(source)).toMatch(/^no news from the API server for 61 s \(limit 60 s\)/);
});

test("is unsynced when the clock was set back by more than the limit", async () => {
  const server = await serve();
  const { source, clock } = follow(await connectTo(server.url), { staleAfterMs: 60_000 });
  await source.ready(5_000);

  clock.advance(-3_600_000);

  expect(source.view().kind).toBe("unsynced");
});

test("stays unsynced when the clock that was set back comes to the time of the last news again", async () => {
  const server = await serve();
  const { source, clock } = follow(await connectTo(server.url), { staleAfterMs: 60_000 });
  await source.ready(5_000);
  server.fail({ kind: "hang" });

  clock.advance(-3_600_000);
  clock.pass(3_600_000);

  expect(source.view().kind).toBe("unsynced");
});

test("tells its listeners when the view becomes stale by time alone", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url), { staleAfterMs: 200 });
  await source.ready(5_000);
  server.fail({ kind: "hang" });
  const kinds: string[] = [];
  source.onChange(() => kinds.push(source.view().kind));

  await eventually(() => expect(kinds).toContain("unsynced"));
});

test("replaces a watch that went silent by a list before the view is stale", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, errors } = follow(await connectTo(server.url), { staleAfterMs: 400 });
  await source.ready(5_000);
  server.fail({ kind: "silent" }, "watch");

  await eventually(() => expect(server.count("list")).toBeGreaterThanOrEqual(3));

  expect(errors[0]).toMatchObject({ code: "timeout" });
  await eventually(() => expect(namesOf(source)).toEqual(["a"]));
});

test("counts the acceptance of the next watch as news when the last one ended in order", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source, clock, errors } = follow(await connectTo(server.url), { staleAfterMs: 600_000 });
  await eventually(() => expect(server.watchers).toBe(1));
  clock.advance(10_000);
  const bookmarkedAt = clock.now();
  server.bookmark();
  await eventually(() => expectNewsSince(source, bookmarkedAt));
  clock.advance(200_000);
  const endedAt = clock.now();

  server.endWatches();

  await eventually(() => expectNewsSince(source, endedAt));
  expect(server.count("list")).toBe(1);
  expect(errors).toEqual([]);
});

test("goes on from the last version it saw, not from the list", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));
  server.event("ADDED", wirePod("a"));
  await eventually(() => expect(namesOf(source)).toEqual(["a"]));

  server.endWatches();
  await eventually(() => expect(server.count("watch")).toBe(2));

  const versions = server.requests
    .filter(({ verb }) => verb === "watch")
    .map(({ query }) => query.get("resourceVersion"));
  expect(versions).toEqual(["1000", "1001"]);
});

test("lists again, exactly, when its version is gone while it watches, and finds pods deleted meanwhile", async () => {
  const server = await serve();
  server.setPods([wirePod("a"), wirePod("b")]);
  const { source, errors } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));
  server.fail({ kind: "reset" });
  server.breakWatch();
  await eventually(() => expect(errors.length).toBeGreaterThan(0));
  server.setPods([wirePod("b")]);
  expect(namesOf(source)).toEqual(["a", "b"]);

  server.expire();
  server.heal();

  await eventually(() => expect(namesOf(source)).toEqual(["b"]));
  const last = server.requests.filter(({ verb }) => verb === "list").at(-1);
  expect(last?.query.has("resourceVersion")).toBe(false);
});

test("lists again when a watch is told that its version is gone", async () => {
  const server = await serve();
  server.setPods([wirePod("a")]);
  const { source } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));

  server.expire();

  await eventually(() => expect(server.count("list")).toBe(2));
  expect(namesOf(source)).toEqual(["a"]);
});

test("never looks back in time when it lists again", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));
  server.event("ADDED", wirePod("a"));
  await eventually(() => expect(namesOf(source)).toEqual(["a"]));

  server.send("this is no JSON\n");

  await eventually(() => expect(server.count("list")).toBe(2));
  expect(server.requests.filter(({ verb }) => verb === "list").map(({ query }) => [...query])).toEqual([
    [
      ["fieldSelector", "spec.nodeName=node-1"],
      ["limit", "500"],
      ["resourceVersion", "0"],
    ],
    [
      ["fieldSelector", "spec.nodeName=node-1"],
      ["limit", "500"],
      ["resourceVersion", "1001"],
      ["resourceVersionMatch", "NotOlderThan"],
    ],
  ]);
});

test("reads a list of several pages", async () => {
  const server = await serve({ pageSize: 2 });
  const names = ["a", "b", "c", "d", "e"];
  server.setPods(names.map((name) => wirePod(name)));
  const { source } = follow(await connectTo(server.url));

  await source.ready(5_000);

  expect(namesOf(source)).toEqual(names);
  expect(server.count("list")).toBe(3);
  expect(server.requests[1]?.query.has("resourceVersion")).toBe(false);
});

test("ignores event types that it does not know", async () => {
  const server = await serve();
  const { source, errors } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));

  server.send('{"type":"SURPRISE","object":{}}\n\n');
  server.event("ADDED", wirePod("a"));

  await eventually(() => expect(namesOf(source)).toEqual(["a"]));
  expect(errors).toEqual([]);
});

test("goes on when a listener and the error handler throw", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url), {
    onError: () => {
      throw new Error("bad handler");
    },
  });
  source.onChange(() => {
    throw new Error("bad listener");
  });
  await eventually(() => expect(server.watchers).toBe(1));

  server.breakWatch();
  await eventually(() => expect(server.count("watch")).toBe(2));
  server.event("ADDED", wirePod("a"));

  await eventually(() => expect(namesOf(source)).toEqual(["a"]));
});

test("knows nothing before it is started and after it is stopped, and closes its connections", async () => {
  const server = await serve();
  const { source } = follow(await connectTo(server.url));
  await eventually(() => expect(server.watchers).toBe(1));

  await source.stop();

  expect(reasonOf(source)).toBe("the watch of pods was stopped");
  await eventually(() => expect(server.watchers).toBe(0));
});

/** The time of the last news: a busy machine may look at it long after, so that it is compared with what came before. */
function expectNewsSince(source: PodSource, moment: number): void {
  const view = source.view();
  expect(view.kind === "synced" && view.confirmedAt).toBeGreaterThanOrEqual(moment);
}
