// The pause between removals: one image after the other, with time for others in between.
import { expect, it } from "vitest";
import { planOn } from "../support/executed-round.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { waitFor } from "../support/wait.ts";
import { resultsOf, threeImages } from "./nodes.ts";

it("waits after each image, however many may be removed side by side", async () => {
  const node = await planOn(threeImages());
  const clock = createFakeClock();

  const running = node.run({ clock, concurrency: 3, pauseMs: 5_000 });
  const left: number[] = [];
  for (let pauses = 1; pauses <= 3; pauses++) {
    await waitFor(`pause ${pauses}`, () => clock.sleeps.length === pauses, { intervalMs: 1 });
    left.push(node.names("k8s.io").length);
    clock.advance(5_000);
  }
  const outcome = await running;

  expect(left).toEqual([2, 1, 0]);
  expect(outcome.deleted).toHaveLength(3);
});

it("ends when the round is stopped, and leaves the rest alone", async () => {
  const node = await planOn(threeImages());
  const clock = createFakeClock();
  const stopping = new AbortController();

  const running = node.run({ clock, pauseMs: 3_600_000, signal: stopping.signal });
  await waitFor("the first pause", () => clock.sleeps.length === 1, { intervalMs: 1 });
  stopping.abort();

  expect(Object.values(resultsOf(await running))).toEqual(["removed", "skipped", "skipped"]);
});
