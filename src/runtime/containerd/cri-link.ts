// The CRI service on the same socket: what it knows of pods and containers beyond the daemon's own records.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Digest, toDigest } from "../../image/digest.ts";
import type { ContainerState } from "../../image/node-state.ts";
import {
  type Container as CriContainer,
  ContainerState as CriContainerState,
  type ImageSpec,
  type PodSandbox,
  PodSandboxState,
} from "../cri/gen/runtime/v1/api_pb.js";
import { RuntimeError } from "../runtime-error.ts";
import { mapBounded } from "./bounded.ts";
import type { CallSpec, Connection, Scope } from "./connection.ts";
import { whenGone } from "./when-gone.ts";

const statusesAtATime = 16;

/** A container as CRI describes it. */
export interface CriUse {
  readonly image: string;
  readonly imageId: string;
  readonly otherImageIds: readonly string[];
  readonly state: ContainerState;
  readonly imageMounts: readonly string[];
  readonly pod: string | undefined;
}

/** A sandbox as CRI describes it. */
export interface CriSandbox {
  readonly state: ContainerState;
  readonly pod: string | undefined;
}

/** What CRI tells of its namespace, by container and sandbox ID. */
export interface CriView {
  readonly containers: ReadonlyMap<string, CriUse>;
  readonly sandboxes: ReadonlyMap<string, CriSandbox>;
}

/**
 * Speaks to CRI while it answers. A daemon that does not know CRI is read through its own records alone; any other failure is
 * a failure: half a view of the containers would look like images that nobody uses.
 */
export class CriLink {
  readonly #connection: Connection;
  #answers: boolean | undefined;
  #mounts = new Map<string, readonly string[]>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Asks whether CRI is there; the API version when it is. */
  async probe(scope: Scope): Promise<string | undefined> {
    try {
      const version = await this.#call({ operation: "cri version" }, scope, (cri, options) =>
        cri.criRuntime.version({ version: "v1" }, options),
      );
      this.#answers = true;
      return version.runtimeApiVersion || "v1";
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#answers = false;
      return undefined;
    }
  }

  /** The sandboxes and containers; undefined without CRI. `withMounts` asks every new container for its image volumes. */
  async view(scope: Scope, withMounts: boolean): Promise<CriView | undefined> {
    if (this.#answers === undefined) await this.probe(scope);
    if (!this.#answers) return undefined;
    const { items } = await this.#call({ operation: "cri list sandboxes", deadline: "list" }, scope, (cri, options) =>
      cri.criRuntime.listPodSandbox({}, options),
    );
    const { containers } = await this.#call(
      { operation: "cri list containers", deadline: "list" },
      scope,
      (cri, options) => cri.criRuntime.listContainers({}, options),
    );
    const mounts = withMounts ? await this.#imageMounts(containers, scope) : this.#mounts;
    const sandboxes = new Map(items.map((sandbox) => [sandbox.id, toSandbox(sandbox)]));
    const uses = containers.map((container) => {
      const use = toUse(container, mounts.get(container.id) ?? []);
      return [container.id, { ...use, pod: use.pod ?? sandboxes.get(container.podSandboxId)?.pod }] as const;
    });
    return { sandboxes, containers: new Map(uses) };
  }

  /** IDs of the images that CRI calls pinned; undefined without CRI. */
  async pinnedIds(scope: Scope): Promise<ReadonlySet<string> | undefined> {
    if (!this.#answers) return undefined;
    const { images } = await this.#call({ operation: "cri list images", deadline: "list" }, scope, (cri, options) =>
      cri.criImages.listImages({}, options),
    );
    return new Set(images.filter((image) => image.pinned).map((image) => image.id));
  }

  /** The directory that CRI keeps images in; undefined when it does not tell. */
  async imageFilesystem(scope: Scope): Promise<string | undefined> {
    if (!(this.#answers ?? (await this.probe(scope)))) return undefined;
    const { imageFilesystems } = await this.#call({ operation: "cri image filesystem" }, scope, (cri, options) =>
      cri.criImages.imageFsInfo({}, options),
    );
    return imageFilesystems[0]?.fsId?.mountpoint;
  }

  /** The mounts of a container never change, so each is asked once; those of containers that went are forgotten. */
  async #imageMounts(
    containers: readonly CriContainer[],
    scope: Scope,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const known = this.#mounts;
    const entries = await mapBounded(containers, statusesAtATime, async ({ id }) => {
      return [id, known.get(id) ?? (await this.#askMounts(id, scope))] as const;
    });
    this.#mounts = new Map(entries);
    return this.#mounts;
  }

  async #askMounts(containerId: string, scope: Scope): Promise<readonly string[]> {
    const asked = this.#call({ operation: "cri container status" }, scope, (cri, options) =>
      cri.criRuntime.containerStatus({ containerId }, options),
    );
    const answer = await whenGone(asked, undefined);
    return (answer?.status?.mounts ?? []).flatMap((mount) => spellingsOf(mount.image));
  }

  async #call<T>(
    spec: CallSpec,
    scope: Scope,
    work: (clients: Connection["clients"], options: Parameters<Parameters<Connection["call"]>[2]>[0]) => Promise<T>,
  ): Promise<T> {
    return this.#connection.call(spec, scope, (options) => work(this.#connection.clients, options));
  }
}

/** True when the daemon says that it has no such service, however the refusal is dressed. */
function isUnsupported(error: unknown): boolean {
  if (!(error instanceof RuntimeError)) return false;
  const refused = error.cause instanceof ConnectError && error.cause.code === Code.Unimplemented;
  return error.code === "unsupported" || refused;
}

const containerStates: Readonly<Record<CriContainerState, ContainerState>> = {
  [CriContainerState.CONTAINER_CREATED]: "created",
  [CriContainerState.CONTAINER_RUNNING]: "running",
  [CriContainerState.CONTAINER_EXITED]: "exited",
  [CriContainerState.CONTAINER_UNKNOWN]: "unknown",
};

function toSandbox({ metadata, state }: PodSandbox): CriSandbox {
  const pod = metadata?.name ? `${metadata.namespace}/${metadata.name}` : undefined;
  return { state: state === PodSandboxState.SANDBOX_READY ? "running" : "exited", pod };
}

function toUse(container: CriContainer, imageMounts: readonly string[]): CriUse {
  const spelled = container.image?.userSpecifiedImage || container.image?.image || "";
  const mentioned = [container.imageId, container.imageRef, container.image?.imageRef, container.image?.image];
  const digests = new Set(mentioned.flatMap((text) => digestIn(text ?? "") ?? []));
  const [imageId = "", ...otherImageIds] = digests;
  return {
    image: spelled,
    imageId,
    otherImageIds,
    imageMounts,
    state: containerStates[container.state] ?? "unknown",
    pod: podOf(container.labels),
  };
}

/** `namespace/name` of the pod in the labels that the kubelet sets. */
export function podOf(labels: Readonly<Record<string, string>>): string | undefined {
  const name = labels["io.kubernetes.pod.name"];
  return name ? `${labels["io.kubernetes.pod.namespace"] ?? ""}/${name}` : undefined;
}

/** The digest in an image ID or a digest reference: `sha256:<hex>`, bare 64 hex digits, or what follows the `@`. */
export function digestIn(text: string): Digest | undefined {
  return toDigest(text.slice(text.lastIndexOf("@") + 1)) ?? toDigest(`sha256:${text}`);
}

function spellingsOf(image: ImageSpec | undefined): readonly string[] {
  return [...new Set([image?.image, image?.userSpecifiedImage, image?.imageRef])].filter(
    (text) => text !== undefined && text !== "",
  ) as string[];
}
