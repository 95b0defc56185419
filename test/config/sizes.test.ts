// Sizes and rates as people write them.
import { expect, test } from "vitest";
import { parseRate, parseSize } from "../../src/config/units.ts";

test.each([
  ["0", 0],
  ["1000000", 1_000_000],
  ["500Mi", 500 * 2 ** 20],
  ["20Gi", 20 * 2 ** 30],
  ["50MiB", 50 * 2 ** 20],
  ["1.5Ki", 1536],
  ["2 TiB", 2 * 2 ** 40],
  ["3k", 3_000],
  ["4MB", 4_000_000],
  ["1gib", 2 ** 30],
])("the size %s is %i bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "Mi", "-1", "1e3", "5Xi", "1 Mi B", "10%", "1,5Mi", "9".repeat(20), "5Mi/s"])(
  "%j is no size",
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);

test.each([
  ["50MiB/s", 50 * 2 ** 20],
  ["500Ki", 500 * 2 ** 10],
  ["1/s", 1],
])("the rate %s is %i bytes a second", (text, bytes) => {
  expect(parseRate(text)).toBe(bytes);
});

test.each(["0", "0/s", "fast", "5Mi/m", "/s"])("%j is no rate", (text) => {
  expect(parseRate(text)).toBeUndefined();
});
