// A real Docker Engine, or Podman's service, as a subject of the contract table: filled by Docker's own command line, looked at by
// our adapter.
import type { Digest } from "../../src/image/digest.ts";
import { connectDocker, dockerNamespace } from "../../src/runtime/docker/docker-runtime.ts";
import { type DockerOptions, startDocker } from "../support/daemons/docker.ts";
import { callEngine } from "../support/daemons/docker-api.ts";
import type { DockerCalls } from "../support/daemons/docker-cli.ts";
import { startPodman } from "../support/daemons/podman.ts";
import { busyboxLayer } from "../support/oci/busybox.ts";
import type { Storable } from "../support/oci/descriptor.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import type { ImageRecipe, MadeImage, RuntimeFixture, Subject } from "./subject.ts";

/** An engine under test, whoever made it. */
interface Engine extends DockerCalls {
  readonly socket: string;
  stop(): Promise<void>;
}

interface EngineKind {
  readonly name: string;
  /** True where the image ID is the digest of the config. */
  readonly idIsConfig: boolean;
  start(): Promise<{ readonly engine: Engine; readonly createFlags: readonly string[] }>;
}

/** The contract's view of one engine line with one image store. */
export function dockerFixture(options: DockerOptions): RuntimeFixture {
  return fixtureOf({
    name: `Docker Engine ${options.version}, ${options.store}`,
    idIsConfig: options.store !== "containerd",
    start: async () => ({ engine: await startDocker(options), createFlags: [] }),
  });
}

/** The contract's view of Podman. */
export function podmanFixture(): RuntimeFixture {
  return fixtureOf({
    name: "Podman",
    idIsConfig: true,
    async start() {
      const engine = await startPodman();
      return { engine, createFlags: ["--cgroup-parent", engine.cgroup] };
    },
  });
}

function fixtureOf(kind: EngineKind): RuntimeFixture {
  let started: Awaited<ReturnType<EngineKind["start"]>> | undefined;
  let subjects = 0;
  return {
    name: kind.name,
    capabilities: {
      untag: true,
      exactBytes: false,
      content: false,
      createNames: true,
      nameRecords: false,
      compareAndDelete: false,
      pinnedImages: false,
      namespaces: false,
      events: true,
      allContainers: true,
    },
    async open() {
      started = await kind.start();
    },
    async subject() {
      if (started === undefined) throw new Error("the fixture was not opened");
      return createSubject({ ...started, idIsConfig: kind.idIsConfig, salt: `subject ${++subjects}` });
    },
    async close() {
      await started?.engine.stop();
    },
  };
}

interface SubjectPlace {
  readonly engine: Engine;
  readonly createFlags: readonly string[];
  readonly idIsConfig: boolean;
  readonly salt: string;
}

function createSubject({ engine, createFlags, idIsConfig, salt }: SubjectPlace): Subject {
  const runtime = connectDocker({ endpoint: `unix://${engine.socket}` });
  return {
    runtime,
    namespace: dockerNamespace,
    otherNamespace: dockerNamespace,
    async seed({ images, names }) {
      const made = new Map(
        Object.entries<ImageRecipe>(images).map(([key, recipe]) => [key, makeImage(recipe, { salt, idIsConfig })]),
      );
      for (const [key, { image }] of made) {
        const own = names.filter((name) => name.image === key).map(({ name }) => name);
        if (own.length > 0) await engine.load(image, own);
      }
      return Object.fromEntries([...made].map(([key, { digests }]) => [key, digests])) as Record<
        keyof typeof images,
        MadeImage
      >;
    },
    async tag(name, target) {
      // No command makes a digest reference without a registry, and an engine finds an image by its digest without one.
      if (!name.includes("@")) await engine.docker("tag", target, name);
    },
    async createContainer({ image, state }) {
      const spelled = image.includes("@") ? image.slice(image.indexOf("@") + 1) : image;
      const command = state === "exited" ? ["true"] : [];
      const flags = ["--pull", "never", "--network", "none", ...createFlags];
      const { stdout } = await engine.docker("create", ...flags, spelled, ...command);
      const id = stdout.trim();
      await engine.docker("start", id);
      if (state === "exited") await engine.docker("wait", id);
      return id;
    },
    async removeContainer(id) {
      await engine.docker("rm", "--force", id);
    },
    async stop() {
      await runtime.close();
      await engine.removeContainers();
      await removeImages(engine);
    },
  };
}

interface MakeOptions {
  readonly salt: string;
  readonly idIsConfig: boolean;
}

function makeImage(recipe: ImageRecipe, { salt, idIsConfig }: MakeOptions): { image: Storable; digests: MadeImage } {
  const layers = recipe.layers.map((layer) => buildLayer({ [`layers/${layer}`]: `${salt} ${layer}\n` }));
  const image = buildImage({
    layers: recipe.runnable ? [busyboxLayer(), ...layers] : layers,
    labels: recipe.labels ?? {},
    cmd: ["sleep", "3600"],
  });
  const manifest = image.manifest.digest;
  const config = image.config.digest;
  const target: Digest = idIsConfig ? config : manifest;
  return {
    image,
    digests: { target, manifest, config, layers: image.layers.map((layer) => layer.blob.descriptor.digest) },
  };
}

/** Children before their parents: what is refused in one turn goes in the next. */
async function removeImages({ socket }: Engine): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    const left = await callEngine<readonly { Id: string }[]>(socket, "GET", "/images/json?all=1");
    if (left.length === 0) return;
    for (const { Id } of left) {
      await callEngine(socket, "DELETE", `/images/${Id.replace("sha256:", "")}?force=1`).catch(() => undefined);
    }
  }
  throw new Error("the engine keeps images that nothing uses");
}
