import fc from "fast-check";
import { expect, test } from "vitest";
import { Node } from "../../../bench/retention/node.ts";
import type { Trace } from "../../../bench/retention/trace.ts";
import { gibibytes } from "../../../bench/retention/units.ts";
import { sharedImagesArbitrary, traceOf } from "./traces.ts";

const disk = { capacity: 50 * gibibytes, other: gibibytes };

test("the disk in use is what is no image and the union of the layers of all images", () => {
  const moves = fc.array(fc.record({ image: fc.nat(11), pull: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(sharedImagesArbitrary, moves, (trace, list) => {
      const node = new Node(disk, trace.layers);

      for (const { image, pull } of list) {
        const found = trace.images[image];
        if (found === undefined) continue;
        const [before, gain] = [node.used, node.images.has(image) ? node.gain(found) : 0];
        if (pull) node.pull(found, 0);
        else node.remove(found);

        expect(node.used).toBe(disk.other + unionOf(node));
        if (!pull) expect(before - node.used).toBe(gain);
      }
    }),
  );
});

function unionOf(node: Node): number {
  const layers = new Set([...node.images.values()].flatMap(({ image }) => image.layers));
  return [...layers].reduce((sum, { bytes }) => sum + bytes, 0);
}

test("a pull fetches only the layers that no image on the node has", () => {
  const trace = twoOnOneBase();
  const node = new Node(disk, trace.layers);
  const [first, second] = trace.images;
  if (first === undefined || second === undefined) throw new Error("two images were made");

  node.pull(first, 0);

  expect(node.missing(second)).toEqual(second.layers.slice(1));
});

test("an image in use is never removed, whoever asks", () => {
  const trace = twoOnOneBase();
  const node = new Node(disk, trace.layers);
  const [image] = trace.images;
  if (image === undefined) throw new Error("an image was made");
  node.pull(image, 0);
  node.begin(image, 0);

  expect(() => node.remove(image)).toThrow("in use");

  node.end(image, 1);
  node.remove(image);
  expect(node.images.size).toBe(0);
});

test("a pull that is larger than the disk is refused", () => {
  const trace = twoOnOneBase();
  const node = new Node({ capacity: gibibytes / 8, other: 0 }, trace.layers);

  expect(() => trace.images.map((image) => node.pull(image, 0))).toThrow("exceeds the disk");
});

function twoOnOneBase(): Trace {
  return traceOf({
    images: [{ layers: [40] }, { layers: [20], on: 0 }],
    starts: [
      { image: 0, at: 1, lasts: 1 },
      { image: 1, at: 2, lasts: 1 },
    ],
  });
}
