// What the configs of images say is read when somebody asks, and what images are is known all the same.
import { expect, test } from "vitest";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { addContainer, useFakeDaemon } from "./fake-connection.ts";
import { pull, putBlob } from "./fake-image.ts";

const fake = useFakeDaemon();
const reads = () => fake.node.calls.filter((call) => call === "Read").length;

async function observe(runtime: ContainerRuntime, imageConfigs: boolean) {
  const { namespaces } = await runtime.observe({ imageConfigs });
  return namespaces[0] ?? expect.fail("no namespace");
}

test("a config that was unpacked is not read when nobody asks, and is read once when somebody does", async () => {
  const { config, chain } = pull(fake.namespace, { names: ["a"], layers: ["base", "a"] });
  addContainer(fake.namespace, "c", "gone", chain.at(-1));
  const runtime = await fake.connect();

  const silent = await observe(runtime, false);
  expect(reads()).toBe(0);
  expect(silent.images).toMatchObject([{ id: config }]);
  expect(silent.images[0]).not.toHaveProperty("labels");
  expect(silent.containers).toMatchObject([{ id: "c", imageId: silent.images[0]?.target }]);

  expect((await observe(runtime, true)).images).toMatchObject([{ id: config, labels: { name: "a" } }]);
  expect((await observe(runtime, true)).images).toMatchObject([{ id: config, labels: { name: "a" } }]);
  expect((await observe(runtime, false)).images).toMatchObject([{ id: config }]);
  expect(reads()).toBe(1);
});

test("a config without a layer here is read: only that tells that it is one", async () => {
  const { config } = pull(fake.namespace, { names: ["a"], layers: [] });

  expect((await observe(await fake.connect(), false)).images).toMatchObject([{ id: config }]);
  expect(reads()).toBe(1);
});

test("configs are read where nothing else tells which platform a manifest is for", async () => {
  const foreign = pull(fake.namespace, { names: ["foreign"], layers: ["f"], platform: "s390x" });
  const own = pull(fake.namespace, { names: ["own"], layers: ["o"] });
  const entries = [foreign, own].map(({ manifest }) => ({ digest: manifest }));
  const labels = Object.fromEntries(entries.map(({ digest }, n) => [`containerd.io/gc.ref.content.m.${n}`, digest]));
  const index = putBlob(fake.namespace, JSON.stringify({ manifests: entries }), labels);
  fake.namespace.images = [{ name: "both", target: index }];

  expect((await observe(await fake.connect(), false)).images).toMatchObject([{ target: index, id: own.config }]);
});
