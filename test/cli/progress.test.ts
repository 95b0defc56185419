// The progress bar: for people at a terminal only, not too often, and gone at the end.
import { expect, test } from "vitest";
import { createProgress } from "../../src/cli/progress.ts";

const MiB = 2 ** 20;

test("draws how much is done of how much, and what there is to say", () => {
  const screen = screenOf(80);
  const progress = createProgress(screen, () => 0);

  progress.update(25 * MiB, 100 * MiB, ", 2 problems");

  expect(screen.written).toEqual(["\r\u001b[K[######..................] 25 % of 100 MiB, 2 problems"]);
});

test("never passes the end, begins at nothing, and shows nothing while the total is not known", () => {
  const screen = screenOf(80);
  let now = 0;
  const progress = createProgress(screen, () => {
    now += 1_000;
    return now;
  });

  progress.update(0, 0, "");
  progress.update(0, MiB, "");
  progress.update(2 * MiB, MiB, "");

  expect(screen.written.map((text) => /\d+ %/.exec(text)?.[0])).toEqual(["0 %", "100 %"]);
});

test("draws at most ten times a second", () => {
  const screen = screenOf(80);
  let now = 0;
  const progress = createProgress(screen, () => now);

  for (now = 0; now < 1_000; now += 1) progress.update(now, 1_000, "");

  expect(screen.written).toHaveLength(10);
});

test("fits into a narrow terminal", () => {
  const screen = screenOf(20);

  createProgress(screen, () => 0).update(1, 2, ", 1 problem");

  expect(screen.written[0]).toHaveLength("\r\u001b[K".length + 19);
});

test("takes itself away, and only when it was drawn", () => {
  const screen = screenOf(80);
  const progress = createProgress(screen, () => 0);

  progress.clear();
  progress.update(1, 2, "");
  progress.clear();
  progress.clear();

  expect(screen.written.filter((text) => text === "\r\u001b[K")).toHaveLength(1);
});

test("is silent where nobody watches", () => {
  const screen = { ...screenOf(80), isTTY: false };
  const progress = createProgress(screen, () => 0);

  progress.update(1, 2, "");
  progress.clear();

  expect(screen.written).toEqual([]);
});

function screenOf(columns: number) {
  const written: string[] = [];
  return { isTTY: true, columns, written, write: (text: string) => written.push(text) };
}
