// What CRI's messages tell of the uses of images, in words of our own. Pure.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { ContainerState, Instant } from "../../image/node-state.ts";
import {
  type Container as CriContainer,
  ContainerState as CriContainerState,
  type ImageSpec,
  type PodSandbox,
  PodSandboxState,
} from "./gen/runtime/v1/api_pb.js";

/** A container as CRI describes it. */
export interface CriUse {
  /** The image as the pod's author wrote it, where the runtime remembers that. */
  readonly image: string;
  readonly imageId: string;
  readonly otherImageIds: readonly string[];
  /** Every other name under which the container's image is mentioned. */
  readonly otherNames: readonly string[];
  readonly state: ContainerState;
  readonly imageMounts: readonly string[];
  readonly pod: string | undefined;
  readonly createdAt: Instant | undefined;
}

/** A sandbox as CRI describes it. */
export interface CriSandbox {
  readonly state: ContainerState;
  readonly pod: string | undefined;
  readonly createdAt: Instant | undefined;
}

const containerStates: Readonly<Record<CriContainerState, ContainerState>> = {
  [CriContainerState.CONTAINER_CREATED]: "created",
  [CriContainerState.CONTAINER_RUNNING]: "running",
  [CriContainerState.CONTAINER_EXITED]: "exited",
  [CriContainerState.CONTAINER_UNKNOWN]: "unknown",
};

export function toSandbox({ metadata, state, createdAt }: PodSandbox): CriSandbox {
  const pod = metadata?.name ? `${metadata.namespace}/${metadata.name}` : undefined;
  return {
    state: state === PodSandboxState.SANDBOX_READY ? "running" : "exited",
    pod,
    createdAt: instantOf(createdAt),
  };
}

/** CRI counts nanoseconds; 0 means that nobody set a time. */
function instantOf(nanoseconds: bigint): Instant | undefined {
  return nanoseconds > 0n ? Number(nanoseconds / 1_000_000n) : undefined;
}

export function toUse(container: CriContainer, imageMounts: readonly string[]): CriUse {
  const { image, imageId: ownId, imageRef, state, labels, createdAt } = container;
  const spelled = image?.userSpecifiedImage || image?.image || "";
  const mentioned = [ownId, imageRef, image?.imageRef, image?.image].filter((text) => text !== undefined);
  const digests = new Set(mentioned.flatMap((text) => digestIn(text) ?? []));
  const [imageId = "", ...otherImageIds] = digests;
  return {
    image: spelled,
    imageId,
    otherImageIds,
    otherNames: [...new Set(mentioned)].filter((text) => text !== "" && text !== spelled),
    imageMounts,
    state: containerStates[state] ?? "unknown",
    pod: podOf(labels),
    createdAt: instantOf(createdAt),
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

/** Every way in which an image volume spells its image. */
export function spellingsOf(image: ImageSpec | undefined): readonly string[] {
  return [...new Set([image?.image, image?.userSpecifiedImage, image?.imageRef])].filter(
    (text) => text !== undefined && text !== "",
  ) as string[];
}
