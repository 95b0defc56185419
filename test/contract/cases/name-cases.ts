// Contract cases about names: what is seen, and what becomes of a name that is removed.
import { expect } from "vitest";
import { imageNamed, inOrder, look, removeAndCollect } from "../look.ts";
import type { ContractCase } from "../subject.ts";

const app = { layers: ["base", "app"] };
const other = { layers: ["base", "other"] };

export const nameCases: readonly ContractCase[] = [
  {
    name: "tells every name with its target",
    async run(subject) {
      const { one, two } = await subject.seed({
        images: { one: app, two: other },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:2", image: "two" },
          { name: "registry.example/app:latest", image: "two" },
        ],
      });

      const { names } = await look(subject);

      expect(Object.fromEntries(names.map(({ name, target }) => [name, target]))).toEqual({
        "registry.example/app:1": one.target,
        "registry.example/app:2": two.target,
        "registry.example/app:latest": two.target,
      });
    },
  },
  {
    name: "tells the labels of a name's record and when it was made",
    needs: ["nameRecords"],
    async run(subject) {
      const labels = { "example.com/team": "blue" };
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one", labels }] });

      const { names } = await look(subject);

      expect(names[0]?.labels).toMatchObject(labels);
      expect(names[0]?.createdAt).toBeGreaterThan(Date.UTC(2020, 0, 1));
    },
  },
  {
    name: "finds one name as it is now, and nothing for a name that is not there",
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const found = await subject.runtime.findName(subject.namespace, "registry.example/app:1");
      const nothing = await subject.runtime.findName(subject.namespace, "registry.example/app:2");

      expect(found).toMatchObject({ name: "registry.example/app:1", target: one.target });
      expect(nothing).toBeUndefined();
    },
  },
  {
    name: "leaves the other names when one is removed",
    needs: ["untag"],
    async run(subject) {
      await subject.seed({
        images: { one: app },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:latest", image: "one" },
        ],
      });
      const before = imageNamed(await look(subject), "registry.example/app:1");

      const result = await removeAndCollect(subject, before, "registry.example/app:1");
      const after = await look(subject);

      expect(result).toBe("removed");
      expect(after.names.map((name) => name.name)).toEqual(["registry.example/app:latest"]);
      expect(inOrder(imageNamed(after, "registry.example/app:latest"))).toEqual(inOrder(before));
    },
  },
  {
    name: "says that a name moved, and leaves it, when it points elsewhere than expected",
    needs: ["untag"],
    async run(subject) {
      const { one, two } = await subject.seed({
        images: { one: app, two: other },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:2", image: "two" },
        ],
      });
      await subject.tag("registry.example/app:1", two.target);

      const result = await subject.runtime.removeName(subject.namespace, "registry.example/app:1", one.target);
      const left = await subject.runtime.findName(subject.namespace, "registry.example/app:1");

      expect(result).toBe("moved");
      expect(left?.target).toBe(two.target);
    },
  },
  {
    name: "says that a name is already gone when there is none",
    needs: ["untag"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const unknown = await subject.runtime.removeName(subject.namespace, "registry.example/none:1", one.target);
      const first = await subject.runtime.removeName(subject.namespace, "registry.example/app:1", one.target);
      const again = await subject.runtime.removeName(subject.namespace, "registry.example/app:1", one.target);

      expect([unknown, first, again]).toEqual(["already-gone", "removed", "already-gone"]);
    },
  },
  {
    name: "makes a name for an image that has one, with labels, and keeps the content under it",
    needs: ["untag", "createNames", "nameRecords"],
    async run(subject) {
      const { one, two } = await subject.seed({
        images: { one: app, two: other },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:2", image: "two" },
        ],
      });
      const { runtime, namespace } = subject;
      const before = imageNamed(await look(subject), "registry.example/app:1");
      const name = { name: `moby-dangling@${one.target}`, target: one.target, labels: { "example.com/team": "blue" } };

      const first = await runtime.createName(namespace, name);
      const again = await runtime.createName(namespace, name);
      await removeAndCollect(subject, before, "registry.example/app:1");
      const after = await look(subject);
      const taken = runtime.createName(namespace, { ...name, name: "registry.example/app:2" });
      const nowhere = runtime.createName(namespace, { ...name, name: "registry.example/app:3", target: one.config });

      expect([first, again]).toEqual(["created", "already-there"]);
      expect(after.names.find((found) => found.name === name.name)).toMatchObject(name);
      expect(inOrder(imageNamed(after, name.name))).toEqual(inOrder(before));
      expect(imageNamed(after, "registry.example/app:2").target).toBe(two.target);
      await expect(taken).rejects.toMatchObject({ code: "conflict" });
      await expect(nowhere).rejects.toMatchObject({ code: "not-found" });
    },
  },
  {
    name: "removes each of 200 tags of one image on its own",
    needs: ["untag"],
    async run(subject) {
      const tags = Array.from({ length: 200 }, (_, index) => `registry.example/app:${String(index).padStart(3, "0")}`);
      await subject.seed({ images: { one: app }, names: tags.map((name) => ({ name, image: "one" as const })) });
      const before = await look(subject);
      const image = imageNamed(before, tags[0] ?? "");

      for (const tag of tags.slice(0, -1)) await subject.runtime.removeName(subject.namespace, tag, image.target);
      await subject.runtime.collect();
      const after = await look(subject);

      expect(before.names.map((name) => name.name).sort()).toEqual(tags);
      expect(before.images).toHaveLength(1);
      expect(after.names.map((name) => name.name)).toEqual(tags.slice(-1));
      expect(after.images.map(inOrder)).toEqual([inOrder(image)]);
    },
  },
];
