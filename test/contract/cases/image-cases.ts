// Contract cases about images that go whole, whether the runtime takes their names one by one or all at once.
import { expect } from "vitest";
import type { ContainerRuntime, ImageUsage } from "../../../src/runtime/runtime.ts";
import { waitFor } from "../../support/wait.ts";
import { imageNamed, inOrder, look, namesOf, removeWhole, withoutContent } from "../look.ts";
import type { ContractCase } from "../subject.ts";

const app = { layers: ["base", "app"] };
const other = { layers: ["base", "other"] };

async function countedUsage(runtime: ContainerRuntime): Promise<ImageUsage | undefined> {
  const usage = await runtime.imageUsage();
  return usage !== undefined && usage.bytes > 0 ? usage : undefined;
}

export const imageCases: readonly ContractCase[] = [
  {
    name: "takes an image away with all its names, and leaves the others",
    async run(subject, { capabilities }) {
      await subject.seed({
        images: { one: app, two: other },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:latest", image: "one" },
          { name: "registry.example/other:1", image: "two" },
        ],
      });
      const before = await look(subject);
      const stays = imageNamed(before, "registry.example/other:1");

      const result = await removeWhole(subject, imageNamed(before, "registry.example/app:1"), [
        "registry.example/app:1",
        "registry.example/app:latest",
      ]);
      const after = await look(subject);

      expect(result).toBe("removed");
      expect(namesOf(after)).toEqual(["registry.example/other:1"]);
      // Where sizes are not exact, what an image has to itself grows when one goes that shared with it.
      const known = capabilities.exactBytes ? inOrder : withoutContent;
      expect(after.images.map(known)).toEqual([known(stays)]);
    },
  },
  {
    name: "says that an image is already gone when somebody else was faster",
    async run(subject) {
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one" }] });
      const image = imageNamed(await look(subject), "registry.example/app:1");

      const first = await removeWhole(subject, image, ["registry.example/app:1"]);
      const again = await removeWhole(subject, image, ["registry.example/app:1"]);

      expect([first, again]).toEqual(["removed", "already-gone"]);
      expect((await look(subject)).images).toEqual([]);
    },
  },
  {
    name: "leaves an image under a name that it was given meanwhile",
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      const before = imageNamed(await look(subject), "registry.example/app:1");
      await subject.tag("registry.example/app:new", one.target);

      await removeWhole(subject, before, ["registry.example/app:1"]);
      const after = await look(subject);

      expect(namesOf(after)).toContain("registry.example/app:new");
      expect(imageNamed(after, "registry.example/app:new").target).toBe(one.target);
    },
  },
  {
    name: "refuses the other way of removing, and removes nothing",
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      const { runtime, namespace } = subject;
      const whole = { id: one.config, target: one.target, names: ["registry.example/app:1"], pinned: false };

      const removal = runtime.capabilities.untag
        ? runtime.removeImage(namespace, whole)
        : runtime.removeName(namespace, "registry.example/app:1", one.target);

      await expect(removal).rejects.toMatchObject({ name: "RuntimeError", code: "unsupported" });
      expect(namesOf(await look(subject))).toEqual(["registry.example/app:1"]);
    },
  },
  {
    name: "counts the space of images where their sizes are not exact, and only there",
    async run(subject) {
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one" }] });

      const { runtime } = subject;
      if (runtime.capabilities.exactBytes) return expect(await runtime.imageUsage()).toBeUndefined();
      // Runtimes count at intervals.
      const counted = await waitFor("the image to be counted", () => countedUsage(runtime), { timeoutMs: 30_000 });

      expect(counted.bytes).toBeGreaterThan(0);
      expect(Math.abs(Date.now() - counted.countedAt)).toBeLessThan(60_000);
    },
  },
];
