// Theorems about collection in the embedded runtime: all that is needed stays, and nothing else.
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Image } from "../../../src/image/node-state.ts";
import { createEmbeddedRuntime } from "../../../src/runtime/embedded/embedded-runtime.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../../support/node-builder.ts";

const layers = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
const images = fc
  .uniqueArray(layers, { minLength: 1, maxLength: 6, selector: (stack) => stack.join(" ") })
  .map((stacks) => stacks.map((stack) => imageOf(stack.join(" "), { layers: stack })));

const node = images.chain((made) =>
  fc.record({
    images: fc.constant(made),
    /** Per name: which image it points to, and whether it goes. */
    names: fc.array(fc.record({ image: fc.nat({ max: made.length - 1 }), goes: fc.boolean() }), { maxLength: 12 }),
    /** Images that a container runs. */
    used: fc.subarray(made),
  }),
);

const blobsOf = (some: readonly Image[]) => new Set(some.flatMap((image) => image.blobs.map((blob) => blob.digest)));
const snapshotsOf = (some: readonly Image[]) => new Set(some.flatMap((image) => image.snapshots.map((one) => one.key)));

it("keeps the content of named images and the snapshots of used ones, and frees everything else", async () => {
  await fc.assert(
    fc.asyncProperty(node, async ({ images: made, names: plans, used }) => {
      const names = plans.flatMap((plan, index) => {
        const target = made[plan.image]?.target;
        return target === undefined ? [] : [{ ...nameOf(`app:${index}`, target), goes: plan.goes }];
      });
      const named = made.filter((image) => names.some((name) => name.target === image.target));
      const containers = used.map((image, index) => containerOf(`c${index}`, { imageId: image.id }));
      const state = namespaceOf("default", { names, images: named, containers });
      const runtime = createEmbeddedRuntime(nodeOf({ namespaces: [state] }));

      for (const name of names) if (name.goes) await runtime.removeName("default", name.name, name.target);
      await runtime.collect();
      const all = { blobs: [...blobsOf(made)], snapshots: [...snapshotsOf(made)] };
      const left = await runtime.remaining("default", all);

      const staying = named.filter((image) => names.some((name) => name.target === image.target && !name.goes));
      const stillUsed = named.filter((image) => used.includes(image));
      expect(new Set(left.blobs)).toEqual(blobsOf(staying));
      expect(new Set(left.snapshots)).toEqual(snapshotsOf([...staying, ...stillUsed]));
    }),
  );
});

it("changes nothing when it collects twice, and nothing that a round trip through its own state would lose", async () => {
  await fc.assert(
    fc.asyncProperty(node, async ({ images: made, used }) => {
      const names = made.map((image, index) => nameOf(`app:${index}`, image.target));
      const containers = used.map((image, index) => containerOf(`c${index}`, { imageId: image.id }));
      const state = namespaceOf("default", { names, images: made, containers });
      const runtime = createEmbeddedRuntime(nodeOf({ namespaces: [state] }));

      await runtime.collect();
      const once = runtime.snapshot();
      await runtime.collect();
      const again = createEmbeddedRuntime(once);
      await again.collect();

      expect(runtime.snapshot()).toEqual(once);
      expect(again.snapshot()).toEqual(once);
    }),
  );
});
