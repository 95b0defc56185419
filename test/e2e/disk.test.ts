// A small disk that images fill: the agent keeps it between the marks, removes nothing in use, and says when it is not images that fill it.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import type { ContainerdLine } from "../support/daemons/manifest.ts";
import type { DiskKind } from "../support/daemons/small-disk.ts";
import { type DiskAgent, type DiskNode, openDiskNode } from "../support/e2e-disk-node.ts";
import { waitFor } from "../support/wait.ts";

/** Seconds during which images arrive. Longer ones for a soak: PRUNELET_DISK_SECONDS=600. */
const seconds = Number(process.env["PRUNELET_DISK_SECONDS"] ?? 40);
const timeoutMs = (seconds + 140) * 1_000;

const megabyte = 1 << 20;

/** Ages keep everything for a day, so whatever goes goes for want of space. */
const config = (marks: string): readonly string[] => [
  "interval: 30s",
  `pressure: { ${marks}, check: 1s }`,
  "triggers: { quiet: 1s, spacing: 5s }",
  "policy: { unusedFor: 24h, minAge: 3s }",
];
const usual = config("high: 75%, low: 60%, emergency: 90%");

const cases: readonly (readonly [DiskKind, ContainerdLine])[] = [
  ["ext4", "2.1"],
  ["xfs", "1.6"],
];

for (const [kind, line] of cases) {
  describeDaemon(`a small ${kind} disk (containerd ${line})`, [`containerd ${line}`, `disk ${kind}`], () => {
    let node: DiskNode;
    let agent: DiskAgent;
    const inUse: string[] = [];

    beforeAll(async () => {
      node = await openDiskNode(line, kind);
    });
    afterAll(async () => {
      agent?.signal("SIGKILL");
      await agent?.ended;
      await node?.close();
    });

    test(
      "stays between the marks while images arrive, containers run, and agent and daemon are restarted",
      async () => {
        for (let i = 0; i < 3; i++) {
          const image = await node.bringImage();
          await node.runContainer(image, `user-${i}`);
          inUse.push(image);
        }
        agent = await node.startAgent(usual);
        const fullest = watchFullness(node);
        let removed = 0;

        await arrivals(node, seconds / 2);
        removed += await agent.metric("images_deleted_total", 'reason="pressure"');
        agent.signal("SIGTERM");
        const { code } = await agent.ended;
        await node.containerd.restart();
        agent = await node.startAgent(usual);
        const brought = await arrivals(node, seconds / 2);
        await waitFor("the disk to be below the high mark", () => node.disk().fullness <= 0.75, { timeoutMs: 20_000 });
        removed += await agent.metric("images_deleted_total", 'reason="pressure"');

        expect(code).toBe(0);
        expect(fullest.stop()).toBeLessThan(0.95);
        expect(removed).toBeGreaterThan(3);
        expect(await node.names()).toEqual(expect.arrayContaining([...inUse, brought.at(-1)]));
        expect(await node.runningContainers()).toEqual(expect.arrayContaining(["user-0", "user-1", "user-2"]));
        expect(await agent.metric("removal_failures_total")).toBe(0);
      },
      timeoutMs,
    );

    test(
      "gains the bytes that are reported, as df counts them",
      async () => {
        await waitFor("a quiet disk", async () => (await agent.metric("pressure_level")) === 0);
        while (node.disk().fullness < 0.65) await node.bringImage();
        // The youngest image may go too, so that the demand can be met.
        await sleep(3_500);
        const before = { disk: node.disk(), reported: await agent.metric("reclaimed_bytes_total") };

        agent.configure(config("high: 50%, low: 40%, emergency: 90%"));
        await waitFor("the disk to be below the low mark", () => node.disk().fullness <= 0.4, { timeoutMs: 30_000 });
        await waitFor("the episode to end", async () => (await agent.metric("pressure_level")) === 0);
        const reported = (await agent.metric("reclaimed_bytes_total")) - before.reported;

        expect(reported).toBeGreaterThan(node.disk().size * 0.2);
        // A filesystem gives blocks back some time after their file is gone, and the agent looks once a second.
        await waitFor("as many bytes as reported to be free", () => {
          const gained = before.disk.used - node.disk().used;
          return Math.abs(gained - reported) / reported < 0.05;
        });
        await waitFor("the gauge to follow the disk", async () => {
          const shown = await agent.metric("filesystem_used_bytes");
          return Math.abs(shown - node.disk().used) < megabyte;
        });
        expect(await agent.metric("filesystem_capacity_bytes")).toBe(node.disk().size);
      },
      timeoutMs,
    );

    test(
      "is said to be filled by something that is no image, and what is in use stays",
      async () => {
        const file = join(node.containerd.root, "no-image");
        const { size, used } = node.disk();
        writeFileSync(file, Buffer.alloc(Math.round(size * 0.85 - used), 1));

        await waitFor(
          "the agent to give up",
          async () => (await agent.metric("pressure_episodes_total", "unrelieved")) > 0,
          {
            timeoutMs: 40_000,
          },
        );
        const line = agent
          .stderr()
          .split("\n")
          .find((row) => row.includes("pressure could not be relieved"));
        const other = await agent.metric("pressure_held_bytes", 'by="other"');
        const episodes = await agent.metric("pressure_episodes_total", "unrelieved");
        await sleep(3_000);

        expect(line).toMatch(/"holds":"what is no image \(/);
        expect(other).toBeGreaterThan(size * 0.4);
        expect(await node.names()).toEqual(expect.arrayContaining(inUse));
        // Nothing changed, so nothing is tried again and again.
        expect(await agent.metric("pressure_episodes_total", "unrelieved")).toBeLessThanOrEqual(episodes + 1);
        rmSync(file);
        await waitFor("the pressure to be gone", async () => (await agent.metric("pressure_level")) === 0);
      },
      timeoutMs,
    );
  });
}

/** More images than there is room for: about twenty of them reach the high mark. */
const more = 26;

/** Brings images one after the other, for some seconds and until there were more than fit. */
async function arrivals(node: DiskNode, forSeconds: number): Promise<readonly string[]> {
  const until = Date.now() + forSeconds * 1_000;
  const brought: string[] = [];
  while (Date.now() < until || brought.length < more) {
    brought.push(await node.bringImage());
    await sleep(500);
  }
  return brought;
}

/** Looks at the disk all the time; `stop` tells the most that was used. */
function watchFullness(node: DiskNode): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, node.disk().fullness);
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}
