// What one agent costs the API server: its requests counted over ten simulated minutes. docs/scale.md states these numbers.
import { expect, onTestFinished, test } from "vitest";
import { createEventWriter } from "../../src/kubernetes/events.ts";
import { type NodeSource, watchNode } from "../../src/kubernetes/node.ts";
import { watchPods } from "../../src/kubernetes/pods.ts";
import type { ReportSink } from "../../src/report/event.ts";
import { eventSink } from "../../src/report/events.ts";
import type { ApiServer } from "../support/api-server/api-server.ts";
import { wireNode } from "../support/api-server/node.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { SimulatedClock } from "../support/simulated-clock.ts";
import { connectTo, eventually, serve } from "./harness.ts";

const second = 1_000;
const tenMinutes = 600 * second;

interface Agent {
  readonly server: ApiServer;
  readonly clock: SimulatedClock;
  readonly report: ReportSink;
  /** Lets ten minutes pass, with a bookmark every minute and watches that end when they were asked to. */
  live(everySecond?: (elapsed: number) => void): Promise<void>;
}

async function startAgent({ pools }: { readonly pools: boolean }): Promise<Agent> {
  const server = await serve({ pageSize: 500 });
  server.setPods(Array.from({ length: 110 }, (_, i) => wirePod(`pod-${i}`)));
  server.setNode(wireNode({ pool: "a" }));
  const clock = new SimulatedClock();
  const connection = await connectTo(server.url);
  // Simulated time passes while a real answer is on its way: that must not look like a server that hangs.
  const deadlines = { responseMs: tenMinutes, bodyMs: tenMinutes, silenceMs: tenMinutes };
  const way = { connection, nodeName: "node-1", clock, deadlines };
  const pods = watchPods(way);
  const node: NodeSource | undefined = pools ? watchNode(way) : undefined;
  const writer = createEventWriter(way);
  onTestFinished(async () => {
    await Promise.all([pods.stop(), node?.stop(), writer.close(0)]);
  });
  const limits = () => ({ enabled: true, maxPerHour: 20 });
  const report = eventSink({ nodeName: "node-1", now: () => clock.now(), limits, write: writer.write });
  pods.start();
  node?.start();
  const watches = pools ? 2 : 1;
  const settled = () =>
    eventually(() => {
      expect(server.watchers).toBe(watches);
      expect(pods.view()).toMatchObject({ kind: "synced" });
    });
  const live: Agent["live"] = async (everySecond) => {
    await settled();
    let openedAt = 0;
    for (let elapsed = second; elapsed <= tenMinutes; elapsed += second) {
      clock.advance(second);
      everySecond?.(elapsed);
      const seconds = Number(server.requests.findLast(({ verb }) => verb === "watch")?.query.get("timeoutSeconds"));
      if (elapsed - openedAt >= seconds * second) {
        openedAt = elapsed;
        server.endWatches();
        await settled();
      } else if (elapsed % (60 * second) === 0) {
        server.bookmark();
        await eventually(() => {
          for (const source of [pods, node])
            if (source) expect(source.view()).toMatchObject({ confirmedAt: clock.now() });
        });
      }
    }
  };
  return { server, clock, report, live };
}

function countRequests({ requests }: ApiServer): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, resource } of requests) {
    const key = `${verb} ${resource}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

test("an agent asks for one list and keeps one watch, renewed every five to ten minutes; nothing is polled", async () => {
  const { server, live } = await startAgent({ pools: false });

  await live();

  expect(countRequests(server)).toEqual({ "list pods": 1, "watch pods": 2 });
  for (const { query } of server.requests.filter(({ verb }) => verb === "watch")) {
    expect(Number(query.get("timeoutSeconds"))).toBeGreaterThanOrEqual(300);
    expect(Number(query.get("timeoutSeconds"))).toBeLessThan(600);
    expect(query.get("allowWatchBookmarks")).toBe("true");
  }
});

test("node pools cost one get and one watch more", async () => {
  const { server, live } = await startAgent({ pools: true });

  await live();

  expect(countRequests(server)).toEqual({ "list pods": 1, "watch pods": 2, "get nodes": 1, "watch nodes": 2 });
});

test("a round that is skipped every 30 seconds writes an event and counts it up once in ten minutes", async () => {
  const { server, report, live } = await startAgent({ pools: false });

  await live((elapsed) => {
    if (elapsed % (30 * second) !== 0) return;
    report({ kind: "round-skipped", seconds: 0, reason: "pods-not-synced", message: `no news for ${elapsed} ms` });
  });
  await eventually(() => expect(server.events).toMatchObject([{ reason: "RoundSkipped" }]));

  expect(server.count("create", "events")).toBe(1);
  expect(server.count("patch", "events")).toBeLessThanOrEqual(1);
});

test("pods that come and go cost no request", async () => {
  const { server, live } = await startAgent({ pools: false });

  await live((elapsed) => {
    if (elapsed % (10 * second) === 0) server.event("ADDED", wirePod(`late-${elapsed}`));
  });

  expect(countRequests(server)).toEqual({ "list pods": 1, "watch pods": 2 });
});
