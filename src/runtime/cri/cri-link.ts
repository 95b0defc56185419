// The questions that prunelet asks a CRI server, for the adapter that has nothing else and for the one that asks CRI besides.
import type { CallOptions as WireOptions } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { RuntimeError } from "../runtime-error.ts";
import type { CallSpec, Scope } from "../wire/calls.ts";
import { isCutShort } from "../wire/errors.ts";
import { AskedOnce } from "./asked-once.ts";
import type { CriChannel } from "./cri-channel.ts";
import type { Image as CriImage, FilesystemUsage } from "./gen/runtime/v1/api_pb.js";
import { type CriClients, type CriVersion, criVersions } from "./services.ts";
import { type CriSandbox, type CriUse, spellingsOf, toSandbox, toUse } from "./use.ts";

/** Who answers. */
export interface CriServerIdentity {
  readonly api: CriVersion;
  /** As the server says it, e.g. `v1`. */
  readonly apiVersion: string;
  /** E.g. `containerd`, `cri-o`. */
  readonly runtime: string;
  /** Without a leading `v`. */
  readonly version: string;
}

/** What CRI tells of its namespace, by container and sandbox ID. */
export interface CriView {
  readonly containers: ReadonlyMap<string, CriUse>;
  readonly sandboxes: ReadonlyMap<string, CriSandbox>;
}

/**
 * Speaks to CRI while it answers. Of a daemon that does not know CRI it says so (`probe`), and then tells nothing; any other
 * failure is a failure: half a view of the containers would look like images that nobody uses.
 */
export class CriLink {
  readonly #channel: CriChannel;
  readonly #versions: readonly CriVersion[];
  #answers: CriVersion | "no" | undefined;
  /** The mounts of a container never change. */
  readonly #mounts = new AskedOnce<string, readonly string[]>();

  /** `versions` are asked for in this order. */
  constructor(channel: CriChannel, versions: readonly CriVersion[] = criVersions) {
    this.#channel = channel;
    this.#versions = versions;
  }

  /** Asks whether CRI is there, newest version first; undefined when it is not. */
  async probe(scope: Scope): Promise<CriServerIdentity | undefined> {
    let found: CriServerIdentity | undefined;
    for (const api of this.#versions) {
      found = await this.#probeVersion(api, scope);
      if (found !== undefined) break;
    }
    // Only at the end: whoever asks meanwhile must not hear "no" because the newest version was refused.
    this.#answers = found?.api ?? "no";
    return found;
  }

  /** The sandboxes and containers; undefined without CRI. `withMounts` asks every new container for its image volumes. */
  async view(scope: Scope, withMounts: boolean): Promise<CriView | undefined> {
    if ((await this.#version(scope)) === undefined) return undefined;
    const { items } = await this.#call({ operation: "cri list sandboxes", deadline: "list" }, scope, (cri, options) =>
      cri.runtime.listPodSandbox({}, options),
    );
    const { containers } = await this.#call(
      { operation: "cri list containers", deadline: "list" },
      scope,
      (cri, options) => cri.runtime.listContainers({}, options),
    );
    const ids = withMounts ? containers.map(({ id }) => id) : [];
    const mounts = await this.#mounts.about(ids, (id) => this.#askMounts(id, scope));
    const sandboxes = new Map(items.map((sandbox) => [sandbox.id, toSandbox(sandbox)]));
    const uses = containers.map((container) => {
      const use = toUse(container, mounts.get(container.id) ?? []);
      return [container.id, { ...use, pod: use.pod ?? sandboxes.get(container.podSandboxId)?.pod }] as const;
    });
    return { sandboxes, containers: new Map(uses) };
  }

  /** The images as CRI lists them; none without CRI. */
  async images(scope: Scope): Promise<readonly CriImage[]> {
    if ((await this.#version(scope)) === undefined) return [];
    const { images } = await this.#call({ operation: "cri list images", deadline: "list" }, scope, (cri, options) =>
      cri.images.listImages({}, options),
    );
    return images;
  }

  /** IDs of the images that CRI calls pinned; undefined without CRI. */
  async pinnedIds(scope: Scope): Promise<ReadonlySet<string> | undefined> {
    if ((await this.#version(scope)) === undefined) return undefined;
    const images = await this.images(scope);
    return new Set(images.filter((image) => image.pinned).map((image) => image.id));
  }

  /** How much images take, by directory; empty when CRI does not tell. */
  async imageFilesystems(scope: Scope): Promise<readonly FilesystemUsage[]> {
    if ((await this.#version(scope)) === undefined) return [];
    const { imageFilesystems } = await this.#call({ operation: "cri image filesystem" }, scope, (cri, options) =>
      cri.images.imageFsInfo({}, options),
    );
    return imageFilesystems;
  }

  /** What the runtime tells of one image beyond the list, as JSON text; undefined when it tells nothing. */
  async imageInfo(image: string, scope: Scope): Promise<string | undefined> {
    const { info } = await this.#call({ operation: "cri image status" }, scope, (cri, options) =>
      cri.images.imageStatus({ image: { image }, verbose: true }, options),
    );
    return info["info"];
  }

  /** What the runtime tells of one sandbox beyond the list, as JSON text; undefined when it tells nothing or it is gone. */
  async sandboxInfo(podSandboxId: string, scope: Scope): Promise<string | undefined> {
    const answer = await this.#unlessGone({ operation: "cri sandbox status" }, scope, (cri, options) =>
      cri.runtime.podSandboxStatus({ podSandboxId, verbose: true }, options),
    );
    return answer?.info["info"];
  }

  /** The runtime's settings as JSON text; undefined when it does not tell. */
  async settings(scope: Scope): Promise<string | undefined> {
    const { info } = await this.#call({ operation: "cri status" }, scope, (cri, options) =>
      cri.runtime.status({ verbose: true }, options),
    );
    return info["config"];
  }

  /** Removes an image with all its names. `id` is the whole ID exactly as it was listed. */
  async removeImage(id: string, scope: Scope): Promise<void> {
    await this.#call({ operation: "remove image", deadline: "removal" }, scope, (cri, options) =>
      cri.images.removeImage({ image: { image: id } }, options),
    );
  }

  async #probeVersion(api: CriVersion, scope: Scope): Promise<CriServerIdentity | undefined> {
    try {
      const { runtime } = this.#channel.clients(api);
      const found = await this.#channel.call({ operation: "cri version" }, scope, (options) =>
        runtime.version({ version: "v1" }, options),
      );
      const version = found.runtimeVersion.replace(/^v/, "");
      return { api, apiVersion: found.runtimeApiVersion || api, runtime: found.runtimeName, version };
    } catch (error) {
      if (isUnsupported(error)) return undefined;
      throw error;
    }
  }

  async #version(scope: Scope): Promise<CriVersion | undefined> {
    if (this.#answers === undefined) await this.probe(scope);
    return this.#answers === "no" ? undefined : this.#answers;
  }

  async #askMounts(containerId: string, scope: Scope): Promise<readonly string[]> {
    const answer = await this.#unlessGone({ operation: "cri container status" }, scope, (cri, options) =>
      cri.runtime.containerStatus({ containerId }, options),
    );
    return (answer?.status?.mounts ?? []).flatMap((mount) => spellingsOf(mount.image));
  }

  async #unlessGone<T>(spec: CallSpec, scope: Scope, work: CriWork<T>): Promise<T | undefined> {
    try {
      return await this.#call(spec, scope, work);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  async #call<T>(spec: CallSpec, scope: Scope, work: CriWork<T>): Promise<T> {
    const api = await this.#version(scope);
    if (api === undefined) throw new RuntimeError("unsupported", spec.operation, "there is no CRI here");
    const clients = this.#channel.clients(api);
    return this.#channel.call(spec, scope, (options) => work(clients, options));
  }
}

type CriWork<T> = (clients: CriClients, options: WireOptions) => Promise<T>;

/** True when the daemon says that it has no such service, however the refusal is dressed. */
export function isUnsupported(error: unknown): boolean {
  if (!(error instanceof RuntimeError)) return false;
  const { cause } = error;
  const refused = cause instanceof ConnectError && cause.code === Code.Unimplemented && !isCutShort(cause);
  return error.code === "unsupported" || refused;
}
