// Hosts on which the seeds of the rules are run: every containerd line and every Docker Engine, each with a registry, and prunelet
// as a person runs it there. Whoever writes a test sees one kind of host.
import { afterAll, beforeAll } from "vitest";
import type { Digest } from "../../src/image/digest.ts";
import type { Containerd } from "./daemons/containerd.ts";
import { startContainerd } from "./daemons/containerd.ts";
import { describeDaemon, type Need } from "./daemons/describe-daemon.ts";
import { type Docker, type DockerOptions, everyEngine, startDocker } from "./daemons/docker.ts";
import { callEngine } from "./daemons/docker-api.ts";
import { containerdLines } from "./daemons/manifest.ts";
import { type Registry, startRegistry } from "./daemons/registry.ts";
import type { PruneReport } from "./e2e-report.ts";
import type { BuiltImage } from "./oci/image.ts";
import { type RunResult, runPrunelet } from "./prunelet.ts";

export interface SeedHost {
  readonly registry: Registry;
  /** What a person calls the ID of an image here. */
  idOf(image: BuiltImage): Digest;
  /** Pulls `127.0.0.1:<port>/repository` with a tag or a digest; fails with what the runtime says. */
  pull(reference: string): Promise<void>;
  tag(from: string, to: string): Promise<void>;
  /** Runs a container whose image is spelled exactly so. */
  run(spelling: string): Promise<void>;
  /** The tags and digest references there are, as the runtime tells, in byte order. */
  references(): Promise<readonly string[]>;
  /** Removes containers and images. */
  clear(): Promise<void>;
  prunelet(...args: readonly string[]): Promise<RunResult>;
}

/** Runs `tests` on every host. Skipped with the reason where a daemon is missing. */
export function describeSeedHosts(title: string, tests: (host: () => SeedHost) => void): void {
  for (const version of containerdLines) {
    const open = async (registry: Registry): Promise<Opened> => {
      const containerd = await startContainerd({ version });
      return { host: new ContainerdHost(containerd, registry), stop: () => containerd.stop() };
    };
    describeHost(`${title} (containerd ${version})`, [`containerd ${version}`], { open, tests });
  }
  for (const options of everyEngine) {
    const open = async (registry: Registry): Promise<Opened> => {
      const docker = await startDocker({ ...options, registryHost: registry.host });
      return { host: new DockerHost(docker, registry, options), stop: () => docker.stop() };
    };
    const name = `Docker Engine ${options.version}, ${options.store} store`;
    describeHost(`${title} (${name})`, [`docker ${options.version}`], { open, tests });
  }
}

/** What `prune --yes` of everything unused did. Fails with what prunelet said unless the exit code is 0. */
export async function pruneAll(host: SeedHost): Promise<PruneReport> {
  const result = await host.prunelet("prune", "--yes", "-o", "json");
  if (result.code !== 0) throw new Error(`prune ended with ${result.code}: ${result.stderr}${result.stdout}`);
  return result.json() as PruneReport;
}

interface Opened {
  readonly host: SeedHost;
  stop(): Promise<void>;
}

interface HostTests {
  open(registry: Registry): Promise<Opened>;
  tests(host: () => SeedHost): void;
}

function describeHost(name: string, needs: readonly Need[], { open, tests }: HostTests): void {
  describeDaemon(name, [...needs, "registry"], () => {
    let registry: Registry | undefined;
    let opened: Opened | undefined;
    beforeAll(async () => {
      registry = await startRegistry();
      opened = await open(registry);
    });
    afterAll(async () => {
      await opened?.stop();
      await registry?.stop();
    });
    tests(() => {
      if (opened === undefined) throw new Error("the host is open only while tests run");
      return opened.host;
    });
  });
}

/** A namespace that CRI does not manage: Docker's rules hold there. */
const namespace = "seeds";

class ContainerdHost implements SeedHost {
  readonly registry: Registry;
  readonly #containerd: Containerd;
  /** From 2.0 on `ctr` works through the daemon's transfer service unless told otherwise. */
  readonly #local: readonly string[];
  #containers = 0;

  constructor(containerd: Containerd, registry: Registry) {
    this.registry = registry;
    this.#containerd = containerd;
    this.#local = containerd.version === "1.6" ? [] : ["--local"];
  }

  idOf({ target }: BuiltImage): Digest {
    return target.digest;
  }

  async pull(reference: string): Promise<void> {
    const flags = ["--plain-http", ...this.#local, "--snapshotter", this.#containerd.snapshotter];
    await this.#ctr("images", "pull", ...flags, reference);
  }

  async tag(from: string, to: string): Promise<void> {
    await this.#ctr("images", "tag", ...this.#tagFlags(), from, to);
  }

  /** A container's record holds any name that exists while it is made: the spelling becomes one for that moment. */
  async run(spelling: string): Promise<void> {
    const before = await this.references();
    if (!before.includes(spelling)) await this.tag(before[0] ?? "", spelling);
    this.#containers += 1;
    await this.#containerd.runContainer({ namespace, image: spelling, id: `user-${this.#containers}` });
    if (!before.includes(spelling)) await this.#ctr("images", "remove", spelling);
  }

  async references(): Promise<readonly string[]> {
    return (await this.#ctr("images", "list", "--quiet")).split("\n").filter(Boolean).sort();
  }

  async clear(): Promise<void> {
    for (const id of (await this.#ctr("containers", "list", "--quiet")).split("\n").filter(Boolean)) {
      await this.#containerd.stopContainer({ namespace, id });
      await this.#containerd.removeContainer({ namespace, id });
    }
    const names = await this.references();
    if (names.length > 0) await this.#ctr("images", "remove", "--sync", ...names);
  }

  prunelet(...args: readonly string[]): Promise<RunResult> {
    return runPrunelet([...args, "--endpoint", this.#containerd.endpoint, "--namespace", namespace, "--pods", "none"]);
  }

  #tagFlags(): readonly string[] {
    return this.#containerd.version.startsWith("2.") ? ["--local"] : [];
  }

  async #ctr(...args: readonly string[]): Promise<string> {
    return (await this.#containerd.ctr("-n", namespace, ...args)).stdout;
  }
}

/** As far as it matters here (Docker Engine API, `ImageSummary`). */
interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
}

class DockerHost implements SeedHost {
  readonly registry: Registry;
  readonly #docker: Docker;
  readonly #options: DockerOptions;

  constructor(docker: Docker, registry: Registry, options: DockerOptions) {
    this.registry = registry;
    this.#docker = docker;
    this.#options = options;
  }

  idOf({ target, config }: BuiltImage): Digest {
    return this.#options.store === "containerd" ? target.digest : config.digest;
  }

  async pull(reference: string): Promise<void> {
    await this.#docker.docker("pull", "--quiet", reference);
  }

  async tag(from: string, to: string): Promise<void> {
    await this.#docker.docker("tag", from, to);
  }

  async run(spelling: string): Promise<void> {
    await this.#docker.docker("run", "--detach", "--pull", "never", "--network", "none", spelling);
  }

  async references(): Promise<readonly string[]> {
    const images = await this.#images();
    const all = images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
    // With the containerd store a digest reference is told among the tags as well.
    return [...new Set(all)].filter((reference) => !reference.startsWith("<none>")).sort();
  }

  async clear(): Promise<void> {
    await this.#docker.removeContainers();
    const ids = (await this.#images()).map(({ Id }) => Id);
    if (ids.length > 0) await this.#docker.docker("rmi", "--force", ...ids);
  }

  prunelet(...args: readonly string[]): Promise<RunResult> {
    const connection = ["--runtime", "docker", "--endpoint", `unix://${this.#docker.socket}`];
    return runPrunelet([...args, ...connection, "--pods", "none"]);
  }

  #images(): Promise<readonly ImageSummary[]> {
    return callEngine(this.#docker.socket, "GET", "/images/json");
  }
}
