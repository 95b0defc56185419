// The CRI adapter: the runtime port over nothing but the Container Runtime Interface, for CRI-O and every other runtime that has it.
import type { Container, ImageName } from "../../image/node-state.ts";
import { type FilesystemProbe, filesystemsOf, probeFilesystem } from "../filesystems.ts";
import { ownRootUsage } from "../own-root.ts";
import type {
  CallOptions,
  Capabilities,
  ContainerRuntime,
  FilesystemUsage,
  ImageRemovalResult,
  ImageUsage,
  ObserveOptions,
  RuntimeEvent,
  RuntimeInfo,
  RuntimeState,
  WholeImage,
} from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type CallObserver, type Scope, scopeOf } from "../wire/calls.ts";
import { socketPath } from "../wire/endpoint.ts";
import { isAtLeast } from "../wire/version.ts";
import { describeContainers } from "./containers.ts";
import { openCriChannel } from "./cri-channel.ts";
import { CriLink, type CriServerIdentity, isUnsupported } from "./cri-link.ts";
import { ImageFactReader } from "./image-facts.ts";
import { ImageListing } from "./image-listing.ts";
import { type ListedImage, readImageList, toImage, toNames } from "./images.ts";
import { readObject, textIn } from "./info-json.ts";
import { removeImage } from "./remove-image.ts";
import { SandboxImageReader } from "./sandbox-images.ts";
import { type CriVersion, criVersions } from "./services.ts";

/** CRI has one namespace and no name for it. */
const theNamespace = "cri";

export interface CriOptions {
  /** The runtime's socket, e.g. `unix:///run/crio/crio.sock`. */
  readonly endpoint: string;
  /** The API versions to ask for, in this order. Default: all, the newest first. */
  readonly versions?: readonly CriVersion[];
  /** Told about every call that was made. */
  readonly onCall?: CallObserver;
  /** Looks at filesystems; the kernel's answer by default. */
  readonly statfs?: FilesystemProbe;
}

/** A runtime that speaks CRI. Opens no connection before it is asked something. */
export function connectCri(options: CriOptions): ContainerRuntime {
  return new CriRuntime(options);
}

const common: Capabilities = {
  untag: false,
  exactBytes: false,
  content: false,
  createNames: false,
  compareAndDelete: false,
  pinnedImages: true,
  namespaces: false,
  nameRecords: false,
  events: false,
  allContainers: false,
};

class CriRuntime implements ContainerRuntime {
  readonly kind = "cri";
  readonly #path: string;
  readonly #channel: ReturnType<typeof openCriChannel>;
  readonly #link: CriLink;
  readonly #listing: ImageListing;
  readonly #facts: ImageFactReader;
  readonly #sandboxImages: SandboxImageReader;
  readonly #probe: FilesystemProbe;
  #identity: CriServerIdentity | undefined;

  constructor({ endpoint, versions, onCall, statfs }: CriOptions) {
    this.#path = socketPath(endpoint);
    this.#channel = openCriChannel(this.#path, onCall);
    this.#link = new CriLink(this.#channel, versions);
    this.#listing = new ImageListing(async () => readImageList(await this.#link.images(scopeOf(undefined))));
    this.#facts = new ImageFactReader(this.#link);
    this.#sandboxImages = new SandboxImageReader(this.#link);
    this.#probe = statfs ?? probeFilesystem;
  }

  get capabilities(): Capabilities {
    return this.#identity === undefined ? common : { ...common, pinnedImages: tellsPins(this.#identity) };
  }

  async info(options?: CallOptions): Promise<RuntimeInfo> {
    const identity = await this.#identify(scopeOf(options));
    const { kind, capabilities } = this;
    return { kind, version: versionOf(identity), apiVersions: { cri: identity.api }, capabilities };
  }

  /** Images before containers: an image that came later than the list is in no danger, a container that came later is seen. */
  async observe(options?: ObserveOptions): Promise<RuntimeState> {
    const scope = scopeOf(options);
    const identity = await this.#identify(scope);
    const images = await this.#listing.fresh(scope);
    const facts = options?.imageConfigs === false ? undefined : await this.#facts.read(images, scope);
    const containers = await this.#containersAmong(images, scope);
    const namespace = {
      name: theNamespace,
      names: images.flatMap(toNames),
      images: images.map((image) => toImage(image, facts?.get(image.id))),
      containers,
      held: { blobs: [], snapshots: [] },
    };
    const { untag, exactBytes } = common;
    const runtime = { kind: this.kind, version: versionOf(identity), untag, exactBytes } as const;
    return { runtime, namespaces: [namespace], foreignBlobs: [] };
  }

  async containers(namespace: string, options?: CallOptions): Promise<readonly Container[]> {
    checkNamespace(namespace, "list containers");
    const scope = scopeOf(options);
    if (this.#identity === undefined) await this.#identify(scope);
    return this.#containersAmong(this.#listing.latest ?? (await this.#listing.fresh(scope)), scope);
  }

  async findName(namespace: string, name: string, options?: CallOptions): Promise<ImageName | undefined> {
    checkNamespace(namespace, "find name");
    const images = await this.#listing.fresh(scopeOf(options));
    return images.flatMap(toNames).find((found) => found.name === name);
  }

  async removeName(): Promise<never> {
    throw unsupported("remove name", "CRI removes images whole");
  }

  async removeImage(namespace: string, image: WholeImage, options?: CallOptions): Promise<ImageRemovalResult> {
    checkNamespace(namespace, "remove image");
    return removeImage({ link: this.#link, listing: this.#listing }, image, options);
  }

  async createName(): Promise<never> {
    throw unsupported("create name", "CRI makes no names");
  }

  /** CRI has no such call: the runtime frees by itself what a removal left. */
  async collect(options?: CallOptions): Promise<void> {
    if (!options?.signal?.aborted) return;
    throw new RuntimeError("timeout", "collect garbage", "stopped by the caller");
  }

  async remaining(): Promise<never> {
    throw unsupported("list content", "CRI does not tell what images hold");
  }

  // biome-ignore lint/correctness/useYield: there is nothing to give, and the port says how that is told.
  async *readBlob(): AsyncIterable<Uint8Array> {
    throw unsupported("read content", "CRI gives no content");
  }

  /**
   * None: CRI's own events are a hint at containers only, are taken away from the kubelet on containerd 1.7, and are switched off on
   * most nodes (spec: cri-api, section 2). Ends when it is told to.
   */
  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  async imageUsage(options?: CallOptions): Promise<ImageUsage | undefined> {
    const found = await this.#link.imageFilesystems(scopeOf(options));
    if (found.length === 0) return undefined;
    const bytes = found.reduce((sum, { usedBytes }) => sum + Number(usedBytes?.value ?? 0n), 0);
    const oldest = Math.min(...found.map(({ timestamp }) => Number(timestamp / 1_000_000n)));
    return { bytes, countedAt: oldest > 0 ? oldest : Date.now() };
  }

  async filesystems(options?: CallOptions): Promise<readonly FilesystemUsage[]> {
    const told = await this.#link.imageFilesystems(scopeOf(options));
    const folders = told.flatMap(({ fsId }) => fsId?.mountpoint || []);
    const found = await filesystemsOf(folders, this.#probe);
    if (found.length > 0) return found;
    const own = await ownRootUsage(folders);
    return own === undefined ? [] : [own];
  }

  async close(): Promise<void> {
    this.#channel.close();
  }

  async #identify(scope: Scope): Promise<CriServerIdentity> {
    this.#identity = await this.#link.probe(scope);
    if (this.#identity !== undefined) return this.#identity;
    const why = `the server at ${this.#path} does not speak CRI ${criVersions.join(" or ")}: it is another kind of server or too old, or its CRI plugin is switched off`;
    throw unsupported("cri version", why);
  }

  async #containersAmong(images: readonly ListedImage[], scope: Scope): Promise<readonly Container[]> {
    const withMounts = this.#identity === undefined || mayMountImages(this.#identity);
    const view = await this.#link.view(scope, withMounts);
    if (view === undefined) throw unsupported("list containers", `there is no CRI at ${this.#path} any more`);
    const sandboxImages = await this.#sandboxImages.read([...view.sandboxes.keys()], scope);
    const untold = [...sandboxImages.values()].some(({ kind }) => kind === "untold");
    const configured = untold ? await this.#configuredSandboxImage(scope) : undefined;
    return describeContainers({ view, images, sandboxImages, configured });
  }

  async #configuredSandboxImage(scope: Scope): Promise<string | undefined> {
    try {
      return textIn(readObject(await this.#link.settings(scope)), "sandboxImage");
    } catch (error) {
      if (isUnsupported(error)) return undefined;
      throw error;
    }
  }
}

/** `containerd 1.6.20`, `cri-o 1.33.1`. */
function versionOf({ runtime, version }: CriServerIdentity): string {
  return [runtime, version].filter((part) => part !== "").join(" ") || "unknown";
}

/** Image volumes came with containerd 2.1 and CRI-O 1.31: before, asking every container for its mounts would be in vain. */
function mayMountImages({ runtime, version, api }: CriServerIdentity): boolean {
  if (api !== "v1") return false;
  if (runtime === "containerd") return isAtLeast(version, 2, 1);
  return runtime !== "cri-o" || isAtLeast(version, 1, 31);
}

/** containerd tells pins from 1.6.22 and 1.7.3 on. */
function tellsPins({ runtime, version }: CriServerIdentity): boolean {
  if (runtime !== "containerd") return true;
  const [, major = "0", minor = "0", patch = "0"] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const line = `${major}.${minor}`;
  if (line === "1.6") return Number(patch) >= 22;
  return line === "1.7" ? Number(patch) >= 3 : isAtLeast(version, 1, 8);
}

function checkNamespace(namespace: string, operation: string): void {
  if (namespace === theNamespace) return;
  throw new RuntimeError("invalid-argument", operation, `no namespace "${namespace}": CRI has only "${theNamespace}"`);
}

function unsupported(operation: string, why: string): RuntimeError {
  return new RuntimeError("unsupported", operation, why);
}
