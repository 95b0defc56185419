// Contract cases about content: what an image is known by, and exactly what goes when its last name goes.
import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Digest } from "../../../src/image/digest.ts";
import type { Image } from "../../../src/image/node-state.ts";
import { contentOf, imageNamed, inOrder, look, namesOf, removeAndCollect, sameContent } from "../look.ts";
import type { ContractCase, Subject } from "../subject.ts";

/** The digest of the bytes that the runtime gives for a blob. */
async function hashOf(subject: Subject, digest: Digest, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const options = signal === undefined ? {} : { signal };
  for await (const piece of subject.runtime.readBlob(subject.namespace, digest, options)) hash.update(piece);
  return `sha256:${hash.digest("hex")}`;
}

const app = { layers: ["base", "app"] };

function withoutConfig({ labels: _labels, platform: _platform, createdAt: _createdAt, ...image }: Image): Image {
  return inOrder(image);
}

export const contentCases: readonly ContractCase[] = [
  {
    name: "knows an image by its manifest and its config",
    needs: ["content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const image = imageNamed(await look(subject), "registry.example/app:1");

      expect(image).toMatchObject({ target: one.manifest, id: one.config });
      expect([...image.digests].sort()).toEqual([one.manifest, one.config].sort());
    },
  },
  {
    name: "knows a multi-platform image by its index and by what is there of its manifests and configs",
    needs: ["content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: { ...app, multiPlatform: true } },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const image = imageNamed(await look(subject), "registry.example/app:1");

      expect(image).toMatchObject({ target: one.index, id: one.config });
      expect([...image.digests].sort()).toEqual([one.index, one.manifest, one.config].sort());
    },
  },
  {
    name: "tells the same of an image when nobody asks what its config says, and what that says when somebody does",
    async run(subject) {
      const images = {
        one: { ...app, labels: { keep: "" } },
        two: { layers: ["base"], multiPlatform: subject.runtime.capabilities.content },
      };
      await subject.seed({
        images,
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/two:1", image: "two" },
        ],
      });
      const silent = await look(subject, subject.namespace, { imageConfigs: false });

      const full = await look(subject);

      expect(namesOf(silent)).toEqual(namesOf(full));
      for (const name of namesOf(full)) {
        expect(withoutConfig(imageNamed(silent, name))).toEqual(withoutConfig(imageNamed(full, name)));
      }
      expect(imageNamed(full, "registry.example/app:1").labels).toEqual({ keep: "" });
    },
  },
  {
    name: "tells the labels of an image's config",
    async run(subject) {
      const labels = { "org.opencontainers.image.title": "App", keep: "" };
      await subject.seed({
        images: { one: { ...app, labels }, two: { layers: ["plain"] } },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/plain:1", image: "two" },
        ],
      });

      const state = await look(subject);

      expect(imageNamed(state, "registry.example/app:1").labels).toEqual(labels);
      expect(imageNamed(state, "registry.example/plain:1").labels).toEqual({});
    },
  },
  {
    name: "tells every blob and layer snapshot of an image, parents before children, and that they exist",
    needs: ["exactBytes", "content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const image = imageNamed(await look(subject), "registry.example/app:1");
      const content = contentOf(image);
      const left = await subject.runtime.remaining(subject.namespace, content);

      expect(content.blobs).toEqual([one.manifest, one.config, ...one.layers].sort());
      expect(image.blobs.every((blob) => blob.size > 0)).toBe(true);
      expect(image.snapshots.map((snapshot) => snapshot.parent)).toEqual([undefined, image.snapshots[0]?.key]);
      expect(sameContent(left)).toEqual(content);
    },
  },
  {
    name: "frees exactly the content that nobody else needs when the last name of an image goes",
    needs: ["exactBytes", "content"],
    async run(subject) {
      const { one, two } = await subject.seed({
        images: { one: app, two: { layers: ["base", "other"] } },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/other:1", image: "two" },
        ],
      });
      const before = await look(subject);
      const [gone, stays] = [
        imageNamed(before, "registry.example/app:1"),
        imageNamed(before, "registry.example/other:1"),
      ];

      await removeAndCollect(subject, gone, "registry.example/app:1");
      const leftOfGone = await subject.runtime.remaining(subject.namespace, contentOf(gone));
      const leftOfOther = await subject.runtime.remaining(subject.namespace, contentOf(stays));
      const after = await look(subject);

      expect(leftOfGone).toEqual({ blobs: [one.layers[0]], snapshots: [stays.snapshots[0]?.key] });
      expect(one.layers[0]).toBe(two.layers[0]);
      expect(sameContent(leftOfOther)).toEqual(contentOf(stays));
      expect(after.images.map(inOrder)).toEqual([inOrder(stays)]);
    },
  },
  {
    name: "frees the shared layers when the last image that needs them goes",
    needs: ["exactBytes", "content"],
    async run(subject) {
      await subject.seed({
        images: { one: app, two: { layers: ["base", "other"] } },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/other:1", image: "two" },
        ],
      });
      const before = await look(subject);

      for (const { name, target } of before.names) await subject.runtime.removeName(subject.namespace, name, target);
      await subject.runtime.collect();
      const left = await Promise.all(
        before.images.map((image) => subject.runtime.remaining(subject.namespace, contentOf(image))),
      );

      expect(left).toEqual(before.images.map(() => ({ blobs: [], snapshots: [] })));
    },
  },
  {
    name: "keeps blobs as long as another namespace sees them, but not the snapshots",
    needs: ["namespaces", "exactBytes", "content"],
    async run(subject) {
      await subject.seed({
        images: { one: app },
        names: [
          { name: "registry.example/app:1", image: "one" },
          { name: "registry.example/app:1", image: "one", namespace: subject.otherNamespace },
        ],
      });
      const image = imageNamed(await look(subject), "registry.example/app:1");

      await removeAndCollect(subject, image, "registry.example/app:1");
      const leftHere = await subject.runtime.remaining(subject.namespace, contentOf(image));
      const leftThere = await subject.runtime.remaining(subject.otherNamespace, contentOf(image));
      await removeAndCollect(subject, image, "registry.example/app:1", subject.otherNamespace);
      const leftAtLast = await subject.runtime.remaining(subject.otherNamespace, contentOf(image));

      expect(sameContent(leftHere)).toEqual({ blobs: contentOf(image).blobs, snapshots: [] });
      expect(sameContent(leftThere)).toEqual(contentOf(image));
      expect(leftAtLast).toEqual({ blobs: [], snapshots: [] });
    },
  },
  {
    name: "gives the bytes of manifest, config and layers, which hash to their digests",
    needs: ["content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const digests = [one.manifest, one.config, ...one.layers];
      const found = await Promise.all(digests.map((digest) => hashOf(subject, digest)));

      expect(found).toEqual(digests);
    },
  },
  {
    name: "says that a blob is not there when its bytes are asked for",
    needs: ["content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      const nowhere = one.manifest.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")) as Digest;

      const reading = hashOf(subject, nowhere);

      await expect(reading).rejects.toMatchObject({ name: "RuntimeError", code: "not-found" });
    },
  },
  {
    name: "ends a reading whose caller gave it up",
    needs: ["content"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: app },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });

      const reading = hashOf(subject, one.manifest, AbortSignal.abort());

      await expect(reading).rejects.toMatchObject({ name: "RuntimeError", code: "timeout" });
    },
  },
  {
    name: "shows an image as pinned when a name of it is",
    needs: ["pinnedImages"],
    async run(subject) {
      const labels = { "io.cri-containerd.pinned": "pinned" };
      await subject.seed({
        images: { one: app, two: { layers: ["base", "other"] } },
        names: [
          { name: "registry.example/pause:3", image: "one", labels },
          { name: "registry.example/other:1", image: "two" },
        ],
      });

      const state = await look(subject);

      expect(imageNamed(state, "registry.example/pause:3").pinned).toBe(true);
      expect(imageNamed(state, "registry.example/other:1").pinned).toBe(false);
    },
  },
];
