// The bytes of a watch: the same events come out wherever the network cuts them.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Pod } from "../../src/image/node-state.ts";
import { ApiError } from "../../src/kubernetes/errors.ts";
import { LineDecoder } from "../../src/kubernetes/line-decoder.ts";
import { podsOn } from "../../src/kubernetes/pods.ts";
import { parseWatchLine, type WatchEvent } from "../../src/kubernetes/watch-event.ts";
import { wirePod } from "../support/api-server/pod.ts";

const pods = podsOn("node-1");

const pod = fc
  .record({
    name: fc.string({ unit: "grapheme", minLength: 1 }),
    image: fc.string({ unit: "binary" }),
    version: fc.nat(),
  })
  .map(({ name, image, version }) => {
    const wire = wirePod(name, { images: [image] });
    return { ...wire, metadata: { ...wire.metadata, resourceVersion: String(version) } };
  });

/** A pod with any part replaced by any JSON. */
const spoiledPod = fc
  .tuple(
    pod,
    fc.constantFrom("metadata", "spec", "status"),
    fc.constantFrom("containers", "name", "volumes"),
    fc.jsonValue(),
  )
  .map(([whole, part, field, value]) => ({ ...whole, [part]: { ...whole[part as "spec"], [field]: value } }));

const line = fc.record({ type: fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "NEW"), object: pod });

function eventsOf(chunks: readonly Uint8Array[]): readonly WatchEvent<Pod>[] {
  const decoder = new LineDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk)).map((text) => parseWatchLine(text, pods));
}

function cut(bytes: Uint8Array, positions: readonly number[]): readonly Uint8Array[] {
  const ends = [...positions.map((position) => position % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test("gives the same events however the stream is cut, also inside a character", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 30 }), (lines, positions) => {
      const bytes = Buffer.from(lines.map((event) => `${JSON.stringify(event)}\n`).join(""));
      const whole = eventsOf([bytes]);

      const pieces = eventsOf(cut(bytes, positions));

      expect(pieces).toEqual(whole);
      expect(whole).toHaveLength(lines.length);
    }),
  );
});

test("gives the same events byte by byte", () => {
  const bytes = Buffer.from(`${JSON.stringify({ type: "SURPRISE", object: { text: "höß🦭" } })}\n`.repeat(3));

  const events = eventsOf(cut(bytes, [...bytes.keys()]));

  expect(events).toEqual([{ kind: "ignored" }, { kind: "ignored" }, { kind: "ignored" }]);
});

test("counts the characters that wait for the end of their line", () => {
  const decoder = new LineDecoder();

  const lines = [decoder.push(Buffer.from("abc")), decoder.push(Buffer.from("d\nef"))];

  expect(lines).toEqual([[], ["abcd"]]);
  expect(decoder.pending).toBe(2);
});

test.each([
  { line: "nonsense", code: "malformed" },
  { line: "[]", code: "malformed" },
  { line: '{"type":"ADDED","object":{"metadata":{"name":"x","uid":"u"},"spec":{}}}', code: "malformed" },
  { line: '{"type":"BOOKMARK","object":{"metadata":{}}}', code: "malformed" },
  { line: '{"type":"ERROR","object":{"code":410}}', code: "expired" },
  { line: '{"type":"ERROR","object":{"reason":"Expired"}}', code: "expired" },
  { line: '{"type":"ERROR","object":{"code":500,"message":"etcd"}}', code: "refused" },
])("refuses the line $line as $code", ({ line: text, code }) => {
  expect(() => parseWatchLine(text, pods)).toThrow(expect.objectContaining({ code }));
});

test("refuses whatever makes no sense with an error of its own, never another one", () => {
  const nearly = fc.record(
    { type: fc.constantFrom("ADDED", "DELETED", "BOOKMARK", "ERROR"), object: fc.oneof(fc.jsonValue(), spoiledPod) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        nearly.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const outcome = attempt(() => parseWatchLine(text, pods));

        expect(outcome === undefined || outcome instanceof ApiError).toBe(true);
      },
    ),
  );
});

function attempt(action: () => void): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
