// One Docker Engine with the containerd image store, on which many scenes are set up one after the other.
import { afterAll, beforeAll } from "vitest";
import { hexOf } from "../../../src/image/digest.ts";
import type { NamespaceState } from "../../../src/image/node-state.ts";
import { formatReference, parseReference } from "../../../src/image/reference.ts";
import { connectContainerd } from "../../../src/runtime/containerd/containerd-runtime.ts";
import { busyboxImage } from "../oci/busybox.ts";
import type { BuiltImage } from "../oci/image.ts";
import { buildIndex } from "../oci/multi-platform.ts";
import { pushImage } from "../oci/push.ts";
import { describeDaemon } from "./describe-daemon.ts";
import { type Docker, dockerNamespace, startDocker } from "./docker.ts";
import type { DockerLine } from "./manifest.ts";
import { type Registry, startRegistry } from "./registry.ts";

const A = busyboxImage({ labels: { image: "A" } });
const B = busyboxImage({ labels: { image: "B" } });
const foreign = busyboxImage({ labels: { image: "foreign" }, platform: { os: "linux", architecture: "riscv64" } });

/** The images of all scenes, which share a layer. M is A and an image of another platform behind one index. */
export const stageImages = { A, B, M: { ...buildIndex([A, foreign]), foreign } } as const;
export type StageImage = keyof typeof stageImages;

/** The names of a scene's images, in the order in which they are given. Later names move tags from earlier images. */
export type SceneNames = readonly (readonly [image: StageImage, ...names: string[]])[];

export interface SceneContainer {
  /** The image as the person spells it. */
  readonly image: string;
  readonly state: "running" | "created" | "exited";
  /** An image to mount. */
  readonly mount?: string;
}

/**
 * What is on the engine before the command. In all texts `{A}` is the digest of image A, `{A:hex}` the same without algorithm,
 * `{A:8}` its first 8 digits, `{A:config}` its config digest, `{M:foreign}` the digest of the other platform, and `reg` is
 * the host of the registry.
 */
export interface Scene {
  readonly names: SceneNames;
  readonly containers?: readonly SceneContainer[];
  /** Names taken away by force after the containers were made. */
  readonly untagged?: readonly string[];
  /** Names given after that. */
  readonly later?: SceneNames;
  /** Tags moved last: from a name to the name that then means the same. */
  readonly moved?: readonly (readonly [from: string, to: string])[];
  /** Images whose names are all taken away by force while a container uses them, which leaves a dangling record. */
  readonly dangling?: readonly StageImage[];
  /** Names for images made from the first container, which then goes; the image of the container is their parent. */
  readonly commits?: readonly string[];
}

export interface DockerStage {
  readonly docker: Docker;
  /** Empties the engine and sets the scene. */
  set(scene: Scene): Promise<void>;
  /** The images as prunelet sees them in containerd, with the containers as the engine tells. */
  observe(): Promise<NamespaceState>;
  /** What containerd alone tells: of stopped containers nothing but their writable snapshots. */
  observeContainerd(): Promise<NamespaceState>;
  /** The names that are stored, in byte order. */
  names(): Promise<readonly string[]>;
  /** Fills digests and the registry's host in. */
  fill(text: string): string;
  /** The name as the engine stores it. */
  full(name: string): string;
}

/** A group of tests that share one engine; skipped with the reason where there is none. */
export function describeDocker(title: string, version: DockerLine, tests: (stage: () => DockerStage) => void): void {
  describeDaemon(`${title} (Docker Engine ${version})`, [`docker ${version}`, "registry"], () => {
    let stage: DockerStage | undefined;
    const stops: (() => Promise<void>)[] = [];
    beforeAll(async () => {
      const registry = await startRegistry();
      stops.unshift(registry.stop);
      await Promise.all([pushTo(registry, stageImages.A), pushTo(registry, stageImages.B)]);
      const docker = await startDocker({ version, store: "containerd", registryHost: registry.host });
      stops.unshift(docker.stop);
      // The engine makes its namespace when it first needs it.
      await docker.containerd.ctr("namespaces", "create", dockerNamespace);
      const runtime = connectContainerd({ endpoint: docker.containerdEndpoint, namespaces: [dockerNamespace] });
      stops.unshift(() => runtime.close());
      stage = new Stage(docker, runtime, registry.host);
    });
    afterAll(async () => {
      for (const stop of stops) await stop();
    });
    tests(() => {
      if (stage === undefined) throw new Error("the engine runs only while tests run");
      return stage;
    });
  });
}

/** Images can then be pulled by digest from the repositories of the scenes. */
async function pushTo({ url: registry }: Registry, image: BuiltImage): Promise<void> {
  for (const repository of ["r", "s"]) await pushImage(image, { registry, repository, tags: [] });
}

class Stage implements DockerStage {
  readonly docker: Docker;
  readonly #runtime: ReturnType<typeof connectContainerd>;
  readonly #registry: string;

  constructor(docker: Docker, runtime: ReturnType<typeof connectContainerd>, registry: string) {
    this.docker = docker;
    this.#runtime = runtime;
    this.#registry = registry;
  }

  async set({ names, containers = [], later = [], dangling = [], ...more }: Scene): Promise<void> {
    await this.#clear();
    for (const [image, ...given] of names) await this.#give(image, given);
    for (const image of dangling) await this.#makeDangling(image);
    for (const container of containers) await this.#start(container);
    for (const name of more.commits ?? []) await this.#commit(name);
    for (const name of more.untagged ?? []) await this.docker.docker("rmi", "--force", this.full(name));
    for (const [image, ...given] of later) await this.#give(image, given);
    for (const [from, to] of more.moved ?? []) await this.docker.docker("tag", this.full(from), this.full(to));
  }

  async observe(): Promise<NamespaceState> {
    return { ...(await this.observeContainerd()), containers: await this.docker.containers() };
  }

  async observeContainerd(): Promise<NamespaceState> {
    const { namespaces } = await this.#runtime.observe();
    const [namespace] = namespaces;
    if (namespace === undefined) throw new Error("containerd does not know the namespace of the engine");
    return namespace;
  }

  async names(): Promise<readonly string[]> {
    const { names } = await this.observeContainerd();
    return names.map(({ name }) => name).sort();
  }

  fill(text: string): string {
    return text
      .replace(/\breg\//g, `${this.#registry}/`)
      .replace(/\{([ABM])(?::(\w+))?\}/g, (_, image: StageImage, form?: string) => digestText(image, form));
  }

  full(name: string): string {
    const filled = this.fill(name);
    return isRaw(filled) ? filled.replace(/^raw /, "") : formatReference(parseReference(filled));
  }

  async #clear(): Promise<void> {
    await this.docker.removeContainers();
    const names = await this.names();
    if (names.length > 0) await this.#ctr("images", "remove", "--sync", ...names);
  }

  /** Tags are loaded and digest references pulled, as people do; what no command of Docker makes is written to containerd. */
  async #give(image: StageImage, names: readonly string[]): Promise<void> {
    const full = names.map((name) => this.full(name));
    const odd = full.filter((name) => isOdd(name));
    const pulled = full.filter((name) => !isOdd(name) && name.includes("@"));
    const loaded = full.filter((name) => !isOdd(name) && !name.includes("@"));
    if (loaded.length > 0) await this.docker.load(stageImages[image], loaded);
    for (const name of pulled) await this.docker.docker("pull", "--quiet", name);
    for (const name of odd) await this.#ctr("images", "tag", "--local", loaded[0] ?? pulled[0] ?? "", name);
  }

  async #makeDangling(image: StageImage): Promise<void> {
    const name = "to-be-dangling:1";
    await this.docker.load(stageImages[image], [this.full(name)]);
    const container = await this.#start({ image: name, state: "created" });
    const { digest } = stageImages[image].target;
    for (const record of (await this.observeContainerd()).names) {
      if (record.target === digest) await this.docker.docker("rmi", "--force", record.name);
    }
    await this.docker.docker("rm", container);
  }

  async #start({ image, state, mount }: SceneContainer): Promise<string> {
    const mounts = mount === undefined ? [] : ["--mount", `type=image,source=${this.fill(mount)},target=/mounted`];
    const how = { running: ["run", "--detach"], created: ["create"], exited: ["run", "--detach"] }[state];
    const what = [this.fill(image), ...(state === "exited" ? ["true"] : [])];
    const flags = ["--pull", "never", "--network", "none", ...mounts];
    const { stdout } = await this.docker.docker(...how, ...flags, ...what);
    const id = stdout.trim();
    if (state === "exited") await this.docker.docker("wait", id);
    return id;
  }

  async #commit(name: string): Promise<void> {
    const [container] = await this.docker.containers();
    if (container === undefined) throw new Error("the scene has no container to make an image of");
    await this.docker.docker("commit", container.id, name);
    await this.docker.docker("rm", "--force", container.id);
  }

  async #ctr(...args: readonly string[]): Promise<void> {
    await this.docker.containerd.ctr("-n", dockerNamespace, ...args);
  }
}

/** Written `raw busybox:latest`: stored without being brought into full form. IDs and dangling records are so as well. */
function isRaw(name: string): boolean {
  return name.startsWith("raw ") || name.startsWith("sha256:") || name.startsWith("moby-dangling@");
}

/** True for what the engine's own commands never store: ID names, names not in full form, `repo:tag@digest`. */
function isOdd(name: string): boolean {
  return name.startsWith("sha256:") || !name.includes("/") || /:[^/@]+@/.test(name);
}

function digestText(image: StageImage, form: string | undefined): string {
  const { digest } = stageImages[image].target;
  if (form === undefined) return digest;
  if (form === "config") return A.config.digest;
  if (form === "foreign") return foreign.target.digest;
  return form === "hex" ? hexOf(digest) : hexOf(digest).slice(0, Number(form));
}
