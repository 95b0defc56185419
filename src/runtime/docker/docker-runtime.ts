// The Docker adapter: the runtime port over the Engine API, for Docker with either image store and for Podman's service.
import type { Digest } from "../../image/digest.ts";
import type { Container, ImageName } from "../../image/node-state.ts";
import { type FilesystemProbe, filesystemsOf, probeFilesystem } from "../filesystems.ts";
import type {
  CallOptions,
  Capabilities,
  ContainerRuntime,
  Content,
  CreationResult,
  FilesystemUsage,
  ImageUsage,
  NameRecord,
  ObserveOptions,
  RemovalResult,
  RemoveOptions,
  RuntimeEvent,
  RuntimeInfo,
  RuntimeState,
} from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { ContainerReader } from "./containers.ts";
import { createName } from "./create-name.ts";
import { ContentCount, readUsage, storageFolders } from "./disk.ts";
import { type AddressSource, parseEndpoint, type TlsSettings } from "./endpoint.ts";
import { Engine, type EngineFacts } from "./engine.ts";
import { type EventOptions, subscribe } from "./events.ts";
import { findName } from "./find-name.ts";
import { type CallObserver, createHttpClient } from "./http-client.ts";
import { listImages, type RecordTimes, readImages } from "./images.ts";
import { NameRemover } from "./remove-name.ts";
import { timeLeft } from "./time-left.ts";

/** An engine has one namespace; this is how prunelet calls it. */
export const dockerNamespace = "docker";

export interface DockerOptions {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375` or `https://host:2376`. */
  readonly endpoint: string;
  /** What the endpoint comes from, for errors. Default: not told. */
  readonly source?: AddressSource | undefined;
  /** How TCP is protected. */
  readonly tls?: TlsSettings;
  /** Told about every call that was made. */
  readonly onCall?: CallObserver;
  /** Looks at filesystems; the kernel's answer by default. */
  readonly statfs?: FilesystemProbe;
  readonly events?: EventOptions;
}

const capabilities: Capabilities = {
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
};

/** A runtime that speaks to a Docker Engine. Opens no connection before it is asked something. */
export function connectDocker(options: DockerOptions): ContainerRuntime {
  return new DockerRuntime(options);
}

class DockerRuntime implements ContainerRuntime {
  readonly kind = "docker";
  readonly capabilities = capabilities;
  readonly #engine: Engine;
  readonly #containers: ContainerReader;
  readonly #remover: NameRemover;
  readonly #times: RecordTimes = new Map();
  readonly #content = new ContentCount();
  readonly #probe: FilesystemProbe;
  readonly #events: EventOptions;

  constructor({ endpoint, source, tls, onCall, statfs = probeFilesystem, events = {} }: DockerOptions) {
    this.#engine = new Engine(createHttpClient(parseEndpoint(endpoint, tls, source), onCall));
    this.#containers = new ContainerReader(this.#engine);
    this.#remover = new NameRemover(this.#engine);
    this.#probe = statfs;
    this.#events = events;
  }

  async info(options?: CallOptions): Promise<RuntimeInfo> {
    const facts = await this.#engine.refresh(options);
    return {
      ...identityOf(facts),
      apiVersions: { [facts.product]: facts.api },
      capabilities,
    };
  }

  /** Names and images before containers, so that no use of one is missed. Asks anew what the engine is: it may have been replaced. */
  async observe(options?: ObserveOptions): Promise<RuntimeState> {
    const within = timeLeft(options);
    const looking = this.#look(within);
    this.#content.follow(looking.then(({ listed }) => listed));
    const { facts, listed } = await looking;
    const seen = await readImages(this.#engine, facts, { listed, times: this.#times }, within);
    const containers = await this.#containers.read(within);
    return {
      runtime: identityOf(facts),
      namespaces: [{ name: dockerNamespace, ...seen, containers }],
      foreignBlobs: [],
    };
  }

  async #look(options?: CallOptions) {
    const facts = await this.#engine.refresh(options);
    this.#remover.forget();
    return { facts, listed: await listImages(this.#engine, facts, { sharing: true, platforms: true }, options) };
  }

  async containers(namespace: string, options?: CallOptions): Promise<readonly Container[]> {
    check(namespace, "list containers");
    return this.#containers.read(timeLeft(options));
  }

  async findName(namespace: string, name: string, options?: CallOptions): Promise<ImageName | undefined> {
    check(namespace, "find name");
    return (await findName(this.#engine, name, timeLeft(options)))?.name;
  }

  async removeName(namespace: string, name: string, target: Digest, options?: RemoveOptions): Promise<RemovalResult> {
    check(namespace, "remove name");
    this.#content.forget();
    return this.#remover.remove(name, target, timeLeft(options));
  }

  async removeImage(): Promise<never> {
    throw new RuntimeError("unsupported", "remove image", "names are removed one by one here");
  }

  async createName(namespace: string, name: NameRecord, options?: CallOptions): Promise<CreationResult> {
    check(namespace, "create name");
    return createName(this.#engine, name, timeLeft(options));
  }

  /** Nothing to do: the engine frees what an image held before it answers that the image is gone. */
  async collect(options?: CallOptions): Promise<void> {
    await this.#engine.ping(options);
  }

  /** Images are told as one piece each: it remains as long as the image does. */
  async remaining(namespace: string, { snapshots }: Content, options?: CallOptions): Promise<Content> {
    check(namespace, "list images");
    const within = timeLeft(options);
    const facts = await this.#engine.facts(within);
    const present = new Set((await listImages(this.#engine, facts, {}, within)).map(({ Id }) => Id as string));
    return { blobs: [], snapshots: snapshots.filter((key) => present.has(key.slice(key.lastIndexOf("/") + 1))) };
  }

  // biome-ignore lint/correctness/useYield: there is nothing to give
  async *readBlob(): AsyncIterable<Uint8Array> {
    throw new RuntimeError(
      "unsupported",
      "read blob",
      "a Docker Engine gives no content: use its containerd, if it has one",
    );
  }

  events(signal: AbortSignal, kinds?: readonly RuntimeEvent["kind"][]): AsyncIterable<RuntimeEvent> {
    return subscribe(this.#engine, { ...this.#events, namespace: dockerNamespace, kinds, signal });
  }

  async imageUsage(options?: CallOptions): Promise<ImageUsage | undefined> {
    return readUsage(this.#engine, this.#content, timeLeft(options));
  }

  async filesystems(options?: CallOptions): Promise<readonly FilesystemUsage[]> {
    const facts = await this.#engine.facts(options);
    return filesystemsOf(storageFolders(facts, this.#engine.http.address), this.#probe);
  }

  async close(): Promise<void> {
    this.#engine.close();
  }
}

function identityOf({ version, imageStore }: EngineFacts) {
  return { kind: "docker", version, exactBytes: false, imageStore } as const;
}

function check(namespace: string, operation: string): void {
  if (namespace === dockerNamespace) return;
  const message = `a Docker Engine has no namespaces: "${namespace}" is not "${dockerNamespace}"`;
  throw new RuntimeError("invalid-argument", operation, message);
}
