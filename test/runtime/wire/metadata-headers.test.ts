import fc from "fast-check";
import { expect, test } from "vitest";
import { MetadataHeaders } from "../../../src/runtime/wire/metadata-headers.ts";

const name = fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,2}$/);
const value = fc.stringMatching(/^[ -~]{0,5}$/);
const step = fc.oneof(
  fc.tuple(fc.constantFrom("set" as const, "append" as const), name, value),
  fc.tuple(fc.constant("delete" as const), name, value),
);

test("holds, joins and orders metadata as Node's own Headers do", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.array(step), name, (init, steps, asked) => {
      const ours = new MetadataHeaders(init);
      const theirs = new Headers(init);
      for (const [action, key, text] of steps) {
        if (action === "delete") for (const headers of [ours, theirs]) headers.delete(key);
        else for (const headers of [ours, theirs]) headers[action](key, text);
      }

      expect([...ours]).toEqual([...theirs]);
      expect([...new MetadataHeaders(ours)]).toEqual([...new Headers(theirs)]);
      expect(ours.get(asked)).toBe(theirs.get(asked));
      expect(ours.has(asked)).toBe(theirs.has(asked));
    }),
  );
});

test("starts from a record, and visits in the order of names", () => {
  const seen: string[] = [];

  new MetadataHeaders({ "b-x": "2", A: "1" }).forEach((text, key) => void seen.push(`${key}=${text}`));

  expect(seen).toEqual(["a=1", "b-x=2"]);
});

test.each(["a\nb: c", "a\r", "a\0b", "€"])("refuses the value %j, as Node's own do", (text) => {
  const set = () => new MetadataHeaders().set("x", `v${text}w`);

  expect(set).toThrow(TypeError);
  expect(() => new Headers().set("x", `v${text}w`)).toThrow(TypeError);
});
