// The history on its way through the state file: all of it comes back, or it is known that it does not.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Gap, History, NamespaceHistory, Sighting } from "../../src/decide/history.ts";
import type { Digest } from "../../src/image/digest.ts";
import { fromHistoryDocument, toHistoryDocument } from "../../src/observe/history-document.ts";
import { formatHistory, parseHistory } from "../../src/observe/history-file.ts";
import { digestOf } from "../support/node-builder.ts";

const instant = fc.integer({ min: 0, max: 4_000_000_000_000 });
const sighting: fc.Arbitrary<Sighting> = fc.record({
  firstSeen: instant,
  lastUsed: instant,
  timesUsed: fc.nat(),
  usedBy: fc.uniqueArray(fc.constantFrom("shop", "kube-system", "a.b", "__proto__")),
  inUse: fc.boolean(),
});
const strange = fc.constantFrom("__proto__", "constructor", "1", "", "r.example/a:1", 'ä\n"\u2028', "sha256:x");
const name = fc.oneof(strange, fc.string());
const digest = fc.string().map((word) => digestOf(word));
const mapOf = <Key>(key: fc.Arbitrary<Key>) =>
  fc.array(fc.tuple(key, sighting), { maxLength: 6 }).map((entries) => new Map(entries));
const namespace: fc.Arbitrary<NamespaceHistory> = fc.record({ images: mapOf<Digest>(digest), names: mapOf(name) });
const gap: fc.Arbitrary<Gap> = fc.record({ from: instant, to: instant });
const history: fc.Arbitrary<History> = fc.record(
  {
    namespaces: fc.array(fc.tuple(name, namespace), { maxLength: 3 }).map((entries) => new Map(entries)),
    unknown: fc.constant("just-used" as const),
    lastLook: instant,
    gaps: fc.array(gap, { maxLength: 3 }),
  },
  { requiredKeys: ["namespaces", "unknown"] },
);

describe("a history", () => {
  it("comes back from its file as it was", () => {
    fc.assert(
      fc.property(history, (before) => {
        expect(parseHistory(formatHistory(before))).toEqual(before);
      }),
    );
  });

  it("comes back from a node file as it was", () => {
    fc.assert(
      fc.property(history, (before) => {
        const document = JSON.parse(JSON.stringify(toHistoryDocument(before)));
        expect(fromHistoryDocument(document, "just-used")).toEqual(before);
      }),
    );
  });

  it.each([1e300, -1e300])("is not taken from a document with a time that no calendar has (%d)", (time) => {
    const namespaces = [["k8s.io", { images: [[digestOf("one"), time, time]], names: [] }]];

    expect(fromHistoryDocument({ version: 2, users: [], namespaces }, "just-used")).toBeUndefined();
  });

  it("does not come back from a file that was cut short anywhere", () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (before, share) => {
        const bytes = Buffer.from(formatHistory(before));
        const cut = bytes.subarray(0, Math.floor(share * bytes.length));
        expect(parseHistory(cut.toString())).toBeUndefined();
      }),
    );
  });

  it("never comes back as another one when any bit of its file flips", () => {
    fc.assert(
      fc.property(history, fc.nat(), (before, place) => {
        const bytes = Buffer.from(formatHistory(before));
        const bit = place % (bytes.length * 8);
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect([undefined, "newer"]).toContain(parseHistory(bytes.toString()));
      }),
      { numRuns: 500 },
    );
  });

  it("is taken for what it is: a bit of the version may only make it newer or corrupt", () => {
    const bytes = Buffer.from(formatHistory({ namespaces: new Map(), unknown: "just-used" }));
    const found = [...Array(8 * 12).keys()].map((bit) => {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return parseHistory(flipped.toString());
    });
    expect(found.every((one) => one === undefined || one === "newer")).toBe(true);
  });

  it("of 5,000 images with three names each takes three million bytes", () => {
    const seen = (i: number): Sighting => {
      const usedBy = [`team-${i % 40}`, "kube-system"];
      return { firstSeen: 1.79e12 + i, lastUsed: 1.79e12 + 2 * i, timesUsed: i % 50, usedBy, inUse: i % 2 === 0 };
    };
    const images = new Map([...Array(5_000).keys()].map((i) => [digestOf(`image ${i}`), seen(i)]));
    const names = new Map(
      [...images].flatMap(([target, one], i) =>
        [
          `registry.example/team-${i % 40}/service-${i}:v1.${i}.0`,
          `registry.example/team-${i % 40}/service-${i}@${target}`,
          target,
        ].map((text) => [text, one] as const),
      ),
    );
    const whole: History = { namespaces: new Map([["k8s.io", { images, names }]]), unknown: "just-used" };

    expect(formatHistory(whole).length).toBeLessThan(3_000_000);
  });
});

describe("what is no history", () => {
  it.each([
    ["a user that is not there", { users: [], namespaces: [["n", { images: [], names: [["a", 1, 2, 1, [0]]] }]] }],
    ["half a use", { users: [], namespaces: [["n", { images: [], names: [["a", 1, 2, 0.5]] }]] }],
    ["no last use", { users: [], namespaces: [["n", { images: [], names: [["a", 1]] }]] }],
    ["no users", { namespaces: [] }],
  ])("%s", (_, document) => {
    expect(fromHistoryDocument({ version: 2, ...document }, "just-used")).toBeUndefined();
  });
});
