// The real clock: what passed already is not waited for, and is nothing that a person has to read about.
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "../../src/observe/clock.ts";

afterEach(() => vi.restoreAllMocks());

test("a sleep until a moment that has just passed ends at once and warns of nothing", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);

  await systemClock.sleep(-0.25);

  expect(warn).not.toHaveBeenCalled();
});
