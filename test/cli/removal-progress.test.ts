// The bar that a person watches while names and images go.
import { expect, test } from "vitest";
import type { NameOutcome, NameResult } from "../../src/act/outcome.ts";
import { removalProgress } from "../../src/cli/removal-progress.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { imageOf, nodeOf } from "../support/node-builder.ts";
import { planScene } from "../support/planned.ts";

const images = [imageOf("a"), imageOf("b")];
const plan = planScene({
  namespace: "default",
  images,
  names: images.flatMap((image, i) => ["1", "2"].map((tag) => [`r.example/app-${i}:${tag}`, image] as const)),
});
const planned: ReportEvent = { kind: "planned", state: nodeOf(), plan, filesystems: [] };

test("shows names that are done, images that are gone, and the bytes that follow them", () => {
  const { progress, written } = watched({ LANG: "C" });

  progress.sink(planned);
  for (const name of namesInOrder()) progress.sink(done(name, { kind: "removed" }));
  progress.sink({
    kind: "round-done",
    at: 0,
    seconds: 1,
    plan,
    outcome: { names: [], deleted: [], reclaimedBytes: 0 },
  });

  expect(written).toEqual([
    "\r\u001b[K[######..................] 25 % of 4 names: 0 images, 0 B",
    "\r\u001b[K[############............] 50 % of 4 names: 1 image, 3.2 KiB",
    "\r\u001b[K[##################......] 75 % of 4 names: 1 image, 3.2 KiB",
    "\r\u001b[K[########################] 100 % of 4 names: 2 images, 6.4 KiB",
    "\r\u001b[K",
  ]);
});

test("has block characters where the terminal knows them", () => {
  const { progress, written } = watched({ LANG: "C.UTF-8", TERM: "xterm" });

  progress.sink(planned);
  progress.sink(done(namesInOrder()[0] ?? "", { kind: "removed" }));

  expect(written[0]).toContain("[██████░░░░░░░░░░░░░░░░░░]");
});

test("makes room for what is logged meanwhile", () => {
  const { progress, written } = watched({ LANG: "C" });
  const [first = "", second = ""] = namesInOrder();

  progress.sink(planned);
  progress.sink(done(first, { kind: "removed" }));
  progress.sink({ kind: "notice", level: "warn", message: "something else" });
  progress.sink(done(second, { kind: "failed", reason: "conflict", message: "locked" }));

  expect(written.map((text) => text === "\r\u001b[K")).toEqual([false, true, false]);
});

test("is silent where no person watches", () => {
  const { progress, written } = watched({}, { isTTY: false });

  progress.sink(planned);
  progress.sink(done(namesInOrder()[0] ?? "", { kind: "removed" }));
  progress.clear();

  expect(written).toEqual([]);
});

function namesInOrder(): string[] {
  return plan.images.flatMap(({ names }) => names.map(({ name }) => name));
}

function done(name: string, result: NameResult): ReportEvent {
  const verdict = plan.images.find(({ names }) => names.some((one) => one.name === name));
  const target = verdict?.image.target as NameOutcome["target"];
  return { kind: "name-done", outcome: { namespace: "default", name, target, reason: "unused", result, seconds: 0 } };
}

function watched(env: Record<string, string>, { isTTY = true } = {}) {
  const written: string[] = [];
  let now = 0;
  const screen = { isTTY, columns: 80, write: (text: string) => written.push(text) };
  // Each look at the clock is a second later than the one before, so that every change is drawn.
  const progress = removalProgress(screen, env, () => {
    now += 1_000;
    return now;
  });
  return { progress, written };
}
