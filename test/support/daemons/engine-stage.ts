// A Docker Engine with either image store, on which scenes are set up by Docker's own commands alone.
import { hexOf } from "../../../src/image/digest.ts";
import { formatReference, parseReference } from "../../../src/image/reference.ts";
import type { BuiltImage } from "../oci/image.ts";
import { pushImage } from "../oci/push.ts";
import { type Docker, type DockerOptions, startDocker } from "./docker.ts";
import { callEngine } from "./docker-api.ts";
import { type Scene, type SceneContainer, type StageImage, stageImages } from "./docker-stage.ts";
import { startRegistry } from "./registry.ts";

export interface EngineStage {
  readonly docker: Docker;
  /** Empties the engine and sets the scene. */
  set(scene: Scene): Promise<void>;
  /** Every name in full form, and `<none> <ID>` for an image without any, sorted. */
  names(): Promise<readonly string[]>;
  /** IDs of the images, sorted. */
  images(): Promise<readonly string[]>;
  /** IDs of the images that containers were made from. */
  used(): Promise<readonly string[]>;
  /** Fills in: `{A}` is the ID of image A, `{A:hex}` without algorithm, `{A:8}` its first digits, `{A:digest}` that of its manifest. */
  fill(text: string): string;
  stop(): Promise<void>;
}

interface Listed {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
}

/** Starts a registry that has the images, and the engine. */
export async function startEngineStage(options: Omit<DockerOptions, "registryHost">): Promise<EngineStage> {
  const registry = await startRegistry();
  try {
    for (const image of [stageImages.A, stageImages.B]) {
      await pushImage(image, { registry: registry.url, repository: "r", tags: [] });
    }
    const docker = await startDocker({ ...options, registryHost: registry.host });
    return new Stage(docker, { registry: registry.host, idIsConfig: options.store !== "containerd" }, registry.stop);
  } catch (error) {
    await registry.stop();
    throw error;
  }
}

interface Place {
  readonly registry: string;
  readonly idIsConfig: boolean;
}

class Stage implements EngineStage {
  readonly docker: Docker;
  readonly #place: Place;
  readonly #stopRegistry: () => Promise<void>;

  constructor(docker: Docker, place: Place, stopRegistry: () => Promise<void>) {
    this.docker = docker;
    this.#place = place;
    this.#stopRegistry = stopRegistry;
  }

  async set({ names, containers = [], later = [], dangling = [], ...more }: Scene): Promise<void> {
    await this.#clear();
    for (const image of dangling) await this.#makeDangling(image);
    for (const [image, ...given] of names) await this.#give(image, given);
    for (const container of containers) await this.#start(container);
    for (const name of more.commits ?? []) await this.#commit(name);
    for (const name of more.untagged ?? []) await this.docker.docker("rmi", "--force", this.#full(name));
    for (const [image, ...given] of later) await this.#give(image, given);
    for (const [from, to] of more.moved ?? []) await this.docker.docker("tag", this.#full(from), this.#full(to));
  }

  async names(): Promise<readonly string[]> {
    const listed = await this.#list();
    const parents = new Set(listed.map(({ ParentId }) => ParentId));
    return listed
      .flatMap(({ Id, RepoTags, RepoDigests }) => {
        const stored = this.#place.idIsConfig ? [...(RepoTags ?? []), ...(RepoDigests ?? [])] : (RepoTags ?? []);
        const own = stored.filter((name) => !name.includes("<none>")).map((name) => this.#full(name));
        return own.length > 0 || (this.#place.idIsConfig && parents.has(Id)) ? own : [`<none> ${Id}`];
      })
      .sort();
  }

  async images(): Promise<readonly string[]> {
    return (await this.#list()).map(({ Id }) => Id).sort();
  }

  async used(): Promise<readonly string[]> {
    return (await this.docker.containers()).map(({ imageId }) => imageId);
  }

  fill(text: string): string {
    return text
      .replace(/\breg\//g, `${this.#place.registry}/`)
      .replace(/\{([AB])(?::(\w+))?\}/g, (_, image: "A" | "B", form?: string) =>
        this.#digest(stageImages[image], form),
      );
  }

  async stop(): Promise<void> {
    await this.docker.stop();
    await this.#stopRegistry();
  }

  #digest(image: BuiltImage, form: string | undefined): string {
    const id = this.#place.idIsConfig ? image.config.digest : image.target.digest;
    if (form === undefined) return id;
    if (form === "digest") return image.target.digest;
    return form === "hex" ? hexOf(id) : hexOf(id).slice(0, Number(form));
  }

  #full(name: string): string {
    return formatReference(parseReference(this.fill(name)));
  }

  #list(): Promise<readonly Listed[]> {
    return callEngine(this.docker.socket, "GET", "/images/json?all=1");
  }

  async #clear(): Promise<void> {
    await this.docker.removeContainers();
    for (let left = await this.images(); left.length > 0; left = await this.images()) {
      for (const id of left) await this.docker.tryDocker("rmi", "--force", id);
    }
  }

  async #give(image: StageImage, names: readonly string[]): Promise<void> {
    const full = names.map((name) => this.#full(name));
    const loaded = full.filter((name) => !name.includes("@"));
    if (loaded.length > 0) await this.docker.load(stageImages[image], loaded);
    for (const name of full) if (name.includes("@")) await this.docker.docker("pull", "--quiet", name);
  }

  /** A tag that moves on leaves a dangling image where a container holds it; the container then goes. */
  async #makeDangling(image: StageImage): Promise<void> {
    await this.docker.load(stageImages[image], [this.#full("to-be-dangling:1")]);
    const container = await this.#start({ image: "to-be-dangling:1", state: "running" });
    await this.docker.docker("rmi", "--force", "to-be-dangling:1");
    await this.docker.docker("rm", "--force", container);
  }

  async #start({ image, state, mount }: SceneContainer): Promise<string> {
    const mounts = mount === undefined ? [] : ["--mount", `type=image,source=${this.fill(mount)},target=/mounted`];
    const command = state === "exited" ? ["true"] : [];
    const flags = ["--pull", "never", "--network", "none", ...mounts];
    const { stdout } = await this.docker.docker("create", ...flags, this.fill(image), ...command);
    const id = stdout.trim();
    if (state !== "created") await this.docker.docker("start", id);
    if (state === "exited") await this.docker.docker("wait", id);
    return id;
  }

  async #commit(name: string): Promise<void> {
    const [container] = await this.docker.containers();
    if (container === undefined) throw new Error("the scene has no container to make an image of");
    await this.docker.docker("commit", container.id, name);
    await this.docker.docker("rm", "--force", container.id);
  }
}
