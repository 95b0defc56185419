// Waiting times: bounded, growing, never negative.
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffDelay } from "../../src/kubernetes/backoff.ts";

test("is never negative and never above the cap, after any number of failures", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (failures, random) => {
        const delay = backoffDelay(failures, random);

        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(30_000);
      },
    ),
  );
});

test("doubles its bound with each failure up to the cap", () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7].map((failures) => backoffDelay(failures, 0.999_999_9));

  expect(bounds).toEqual([999, 1_999, 3_999, 7_999, 15_999, 29_999, 29_999]);
});
