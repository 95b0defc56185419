// Contract cases about containers: which image they use, however it is spelled, and what they keep alive.
import { expect } from "vitest";
import type { Container } from "../../../src/image/node-state.ts";
import { containerOf, contentOf, imageNamed, look, removeAndCollect } from "../look.ts";
import type { ContractCase } from "../subject.ts";

const app = { layers: ["app"], runnable: true };
const other = { layers: ["other"], runnable: true };

/** IDs of what pods run, in order: some runtimes have a container for each pod besides. */
function idsOf(containers: readonly Container[]): readonly string[] {
  return containers
    .filter(({ kind }) => kind === "container")
    .map(({ id }) => id)
    .sort();
}

export const containerCases: readonly ContractCase[] = [
  {
    name: "tells containers in every state, with the image as it was spelled",
    async run(subject) {
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one" }] });
      const runs = await subject.createContainer({ id: "runs", image: "registry.example/app:1", state: "running" });
      const ended = await subject.createContainer({ id: "ended", image: "registry.example/app:1", state: "exited" });

      const state = await look(subject);
      const containers = await subject.runtime.containers(subject.namespace);

      expect(containerOf(state, runs)).toMatchObject({ image: "registry.example/app:1", state: "running" });
      expect(containerOf(state, ended)).toMatchObject({ image: "registry.example/app:1", state: "exited" });
      expect(idsOf(containers)).toEqual([ended, runs].sort());
    },
  },
  {
    name: "tells when a container was made",
    async run(subject) {
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one" }] });
      const before = Date.now();
      const id = await subject.createContainer({ id: "c1", image: "registry.example/app:1", state: "running" });

      const { createdAt = 0 } = containerOf(await look(subject), id);

      // Some runtimes count in whole seconds.
      expect(createdAt).toBeGreaterThanOrEqual(before - 1_000);
      expect(createdAt).toBeLessThanOrEqual(Date.now());
    },
  },
  {
    name: "resolves a container made by tag, and one made by digest, to a digest of its image",
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      const byDigest = `registry.example/app@${one.target}`;
      await subject.tag(byDigest, one.target);
      const tagged = await subject.createContainer({ id: "by-tag", image: "registry.example/app:1", state: "running" });
      const digested = await subject.createContainer({ id: "by-digest", image: byDigest, state: "running" });

      const state = await look(subject);
      const { digests } = imageNamed(state, "registry.example/app:1");

      expect(digests).toContain(containerOf(state, tagged).imageId);
      expect(digests).toContain(containerOf(state, digested).imageId);
    },
  },
  {
    name: "still resolves a container to the image that it runs after its name moved to another one",
    async run(subject) {
      const { one, two } = await subject.seed({
        images: { one: app, two: other },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:old", image: "one" },
          { name: "registry.example/app:2", image: "two" },
        ],
      });
      const id = await subject.createContainer({ id: "c1", image: "registry.example/app:1", state: "running" });
      await subject.tag("registry.example/app:1", two.target);

      const container = containerOf(await look(subject), id);

      expect([one.target, one.manifest, one.config]).toContain(container.imageId);
    },
  },
  {
    name: "keeps the layers below a running container when its image goes, says so beforehand, and frees them with it",
    needs: ["exactBytes", "content"],
    async run(subject) {
      await subject.seed({ images: { one: app }, names: [{ name: "registry.example/app:1", image: "one" }] });
      const id = await subject.createContainer({ id: "c1", image: "registry.example/app:1", state: "running" });
      const before = await look(subject);
      const image = imageNamed(before, "registry.example/app:1");
      const { snapshots } = contentOf(image);

      await removeAndCollect(subject, image, "registry.example/app:1");
      const whileRunning = await subject.runtime.remaining(subject.namespace, contentOf(image));
      await subject.removeContainer(id);
      await subject.runtime.collect();
      const afterwards = await subject.runtime.remaining(subject.namespace, contentOf(image));

      expect(before.held.snapshots).toEqual(expect.arrayContaining([...snapshots]));
      expect([...whileRunning.snapshots].sort()).toEqual(snapshots);
      expect(afterwards).toEqual({ blobs: [], snapshots: [] });
    },
  },
];
