// The embedded runtime as a subject of the contract table. Content is made of words: the same words, the same digests.
import type { LayerSnapshot } from "../../src/image/node-state.ts";
import type { NewImage } from "../../src/runtime/embedded/embedded-controls.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { digestOf, nodeOf } from "../support/node-builder.ts";
import type { ImageRecipe, MadeImage, RuntimeFixture, Subject } from "./subject.ts";

export const embeddedFixture: RuntimeFixture = {
  name: "embedded",
  capabilities: {
    untag: true,
    exactBytes: true,
    content: true,
    createNames: true,
    compareAndDelete: true,
    pinnedImages: true,
    namespaces: true,
    nameRecords: true,
    events: true,
    allContainers: true,
  },
  open: async () => {},
  subject: async () => createSubject(),
  close: async () => {},
};

function createSubject(): Subject {
  const runtime = createEmbeddedRuntime(nodeOf(), { now: () => Date.now() });
  const namespace = "main";
  return {
    runtime,
    namespace,
    otherNamespace: "other",
    async seed({ images, names }) {
      const made = new Map(Object.entries<ImageRecipe>(images).map(([key, recipe]) => [key, makeImage(recipe)]));
      for (const { namespace: where = namespace, name, image, labels = {} } of names) {
        const found = made.get(image);
        if (found === undefined) throw new Error(`the seed has no image ${image}`);
        runtime.addImage(where, found.image, [{ name, labels }]);
        for (const text of found.texts) runtime.putContent(digestOf(text), Buffer.from(text));
      }
      return Object.fromEntries([...made].map(([key, { digests }]) => [key, digests])) as Record<
        keyof typeof images,
        MadeImage
      >;
    },
    async tag(name, target) {
      runtime.tag(namespace, name, target);
    },
    async createContainer({ id, image, state }) {
      const name = await runtime.findName(namespace, image);
      if (name === undefined) throw new Error(`no name ${image} to make a container of`);
      runtime.addContainer(namespace, {
        id,
        image,
        imageId: name.target,
        state,
        createdAt: Date.now(),
        snapshotKey: `overlayfs/${id}`,
      });
      return id;
    },
    async removeContainer(id) {
      runtime.removeContainer(namespace, id);
    },
    stop: () => runtime.close(),
  };
}

interface MadeOfWords {
  readonly image: NewImage;
  readonly digests: MadeImage;
  /** The content of every blob. */
  readonly texts: readonly string[];
}

function makeImage(recipe: ImageRecipe): MadeOfWords {
  const word = JSON.stringify(recipe);
  const manifest = digestOf(`manifest ${word}`);
  const config = digestOf(`config ${word}`);
  const layers = recipe.layers.map((layer) => digestOf(`layer ${layer}`));
  const index = recipe.multiPlatform ? { index: digestOf(`index ${word}`) } : {};
  const own = Object.values({ ...index, manifest, config });
  const target = index.index ?? manifest;
  const blobs = [...own, ...layers].map((digest) => ({ digest, size: 100 }));
  return {
    image: { target, id: config, digests: own, labels: recipe.labels ?? {}, blobs, snapshots: chainOf(recipe.layers) },
    digests: { target, ...index, manifest, config, layers },
    texts: [`index ${word}`, `manifest ${word}`, `config ${word}`, ...recipe.layers.map((layer) => `layer ${layer}`)],
  };
}

function chainOf(layers: readonly string[]): LayerSnapshot[] {
  const keys = layers.map((_, depth) => `overlayfs/${digestOf(layers.slice(0, depth + 1).join("\n"))}`);
  return keys.map((key, depth) => {
    const parent = keys[depth - 1];
    return { key, size: 4096, ...(parent === undefined ? {} : { parent }) };
  });
}
