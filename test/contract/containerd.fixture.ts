// A real containerd as a subject of the contract table: filled by its own `ctr`, looked at by our adapter.
import { connectContainerd } from "../../src/runtime/containerd/containerd-runtime.ts";
import { type Containerd, startContainerd } from "../support/daemons/containerd.ts";
import type { ContainerdLine } from "../support/daemons/manifest.ts";
import { busyboxLayer } from "../support/oci/busybox.ts";
import type { Storable } from "../support/oci/descriptor.ts";
import { type BuiltImage, buildImage, hostPlatform } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";
import { waitFor } from "../support/wait.ts";
import type { ImageRecipe, MadeImage, RuntimeFixture, SeedName, Subject } from "./subject.ts";

/** The contract's view of one containerd line. */
export function containerdFixture(version: ContainerdLine): RuntimeFixture {
  let daemon: Containerd | undefined;
  let subjects = 0;
  return {
    name: `containerd ${version}`,
    capabilities: {
      untag: true,
      exactBytes: true,
      content: true,
      createNames: true,
      compareAndDelete: version === "2.1",
      pinnedImages: true,
      namespaces: true,
    },
    async open() {
      daemon = await startContainerd({ version });
    },
    async subject() {
      if (daemon === undefined) throw new Error("the fixture was not opened");
      return createSubject(daemon, ++subjects);
    },
    async close() {
      await daemon?.stop();
    },
  };
}

async function createSubject(daemon: Containerd, number: number): Promise<Subject> {
  const namespace = `main-${number}`;
  const otherNamespace = `other-${number}`;
  const namespaces = [namespace, otherNamespace];
  for (const name of namespaces) await daemon.ctr("namespaces", "create", name);
  const runtime = connectContainerd({ endpoint: daemon.endpoint, namespaces });
  const containers = new Set<string>();

  return {
    runtime,
    namespace,
    otherNamespace,
    async seed({ images, names }) {
      const made = new Map(
        Object.entries<ImageRecipe>(images).map(([key, recipe]) => [key, makeImage(recipe, namespace)]),
      );
      for (const [key, { image }] of made) await importNames(daemon, image, namesByNamespace(names, key, namespace));
      for (const name of names) await setLabels(daemon, name, namespace);
      return Object.fromEntries([...made].map(([key, { digests }]) => [key, digests])) as Record<
        keyof typeof images,
        MadeImage
      >;
    },
    async tag(name, target) {
      const source = (await storedNames(daemon, namespace)).find((stored) => stored.target === target);
      if (source === undefined) throw new Error(`no name points to ${target}`);
      if (source.name === name) return;
      const local = daemon.version === "1.6" ? [] : ["--local"];
      await daemon.ctr("-n", namespace, "images", "tag", "--force", ...local, source.name, name);
    },
    async createContainer({ id, image, state }) {
      containers.add(id);
      await daemon.runContainer({ id, image, namespace });
      if (state === "exited") await killContainer(daemon, namespace, id);
    },
    removeContainer(id) {
      containers.delete(id);
      return removeContainer(daemon, namespace, id);
    },
    async stop() {
      for (const id of containers) await removeContainer(daemon, namespace, id);
      for (const name of namespaces) await removeNames(daemon, name);
      // A namespace can be removed only when nothing uncollected is left in it.
      await runtime.collect();
      await runtime.close();
      for (const name of namespaces) await daemon.ctr("namespaces", "remove", name);
    },
  };
}

function makeImage(recipe: ImageRecipe, salt: string): { image: Storable; digests: MadeImage } {
  const layers = recipe.layers.map((layer) => buildLayer({ [`layers/${layer}`]: `${salt} ${layer}\n` }));
  const whole = {
    layers: recipe.runnable ? [busyboxLayer(), ...layers] : layers,
    labels: recipe.labels ?? {},
    cmd: ["sleep", "3600"],
  };
  const image = buildImage(whole);
  const digests = {
    manifest: image.manifest.digest,
    config: image.config.digest,
    layers: image.layers.map((layer) => layer.blob.descriptor.digest),
  };
  if (!recipe.multiPlatform) return { image, digests: { target: image.target.digest, ...digests } };
  const index = indexOver(image, buildImage({ ...whole, platform: foreignPlatform }));
  return { image: index, digests: { target: index.target.digest, index: index.target.digest, ...digests } };
}

const foreignPlatform = { os: "linux", architecture: hostPlatform.architecture === "arm64" ? "amd64" : "arm64" };

function indexOver(here: BuiltImage, elsewhere: BuiltImage): Storable {
  return buildIndex([elsewhere, here], { leaveOut: [elsewhere] });
}

function namesByNamespace(names: readonly SeedName[], image: string, namespace: string): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const name of names) {
    if (name.image !== image) continue;
    const where = name.namespace ?? namespace;
    grouped.set(where, [...(grouped.get(where) ?? []), name.name]);
  }
  return grouped;
}

async function importNames(daemon: Containerd, image: Storable, grouped: Map<string, string[]>): Promise<void> {
  for (const [namespace, names] of grouped) await daemon.import(image, { namespace, names });
}

async function setLabels(daemon: Containerd, { name, labels = {}, ...rest }: SeedName, namespace: string) {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (words.length > 0) await daemon.ctr("-n", rest.namespace ?? namespace, "images", "label", name, ...words);
}

async function storedNames(daemon: Containerd, namespace: string) {
  const { stdout } = await daemon.ctr("-n", namespace, "images", "list");
  const rows = stdout.trim().split("\n").slice(1);
  return rows.map((row) => row.split(/\s+/)).map(([name = "", , target = ""]) => ({ name, target }));
}

/** Ends the container's process but keeps its task, as an exited container has one. */
async function killContainer(daemon: Containerd, namespace: string, id: string): Promise<void> {
  await daemon.ctr("-n", namespace, "tasks", "kill", "--signal", "SIGKILL", id);
  await waitFor(`container ${id} to exit`, async () => {
    const { stdout } = await daemon.ctr("-n", namespace, "tasks", "list");
    return stdout.split("\n").some((row) => row.startsWith(`${id} `) && row.includes("STOPPED"));
  });
}

async function removeContainer(daemon: Containerd, namespace: string, id: string): Promise<void> {
  await daemon.ctr("-n", namespace, "tasks", "delete", "--force", id);
  await daemon.ctr("-n", namespace, "containers", "delete", id);
}

async function removeNames(daemon: Containerd, namespace: string): Promise<void> {
  const names = (await storedNames(daemon, namespace)).map((stored) => stored.name);
  if (names.length > 0) await daemon.ctr("-n", namespace, "images", "remove", ...names);
}
