// The start of a fleet: how many agents come to the API server in one second, and who need not wait.
import { expect, it } from "vitest";
import { waitForTurn } from "../../src/cli/wait-for-turn.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const startJitter = 30_000;
const { signal } = new AbortController();

it("spreads 5,000 agents over half a minute, so that no second sees much more than its share", () => {
  const clock = createFakeClock();
  let chance = 7;
  for (let i = 0; i < 5_000; i++) {
    chance = (chance * 16_807) % 2_147_483_647;
    clock.setRandom(chance / 2_147_483_647);
    void waitForTurn({ clock, usesKubernetes: true, startJitter, signal });
  }

  const seconds = new Map<number, number>();
  for (const sleep of clock.sleeps) {
    const second = Math.floor(sleep / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }

  expect(clock.sleeps).toHaveLength(5_000);
  expect(Math.max(...clock.sleeps)).toBeLessThan(startJitter);
  expect(Math.max(...seconds.values())).toBeLessThan((5_000 / 30) * 1.4);
});

it.each([
  ["without Kubernetes", { usesKubernetes: false, startJitter }],
  ["with a jitter of 0", { usesKubernetes: true, startJitter: 0 }],
])("waits for nothing %s", async (_, turn) => {
  const clock = createFakeClock();

  await waitForTurn({ clock, signal, ...turn });

  expect(clock.sleeps).toEqual([]);
});

it("ends its wait when the agent is stopped", async () => {
  const stopping = new AbortController();
  const clock = createFakeClock();
  const waiting = waitForTurn({ clock, usesKubernetes: true, startJitter, signal: stopping.signal });

  stopping.abort();

  await expect(waiting).resolves.toBeUndefined();
});
