// Who would mind a removal: the containers and pods of a node, resolved to images and names the way collection does it.
import type { Digest } from "../image/digest.ts";
import type { Container, NamespaceState, Pod } from "../image/node-state.ts";
import { repositoryOf, tryParseReference } from "../image/reference.ts";
import type { ImageIndex } from "./image-index.ts";
import type { Reason } from "./reason.ts";
import type { PodNeed, RemovalUse } from "./removal-types.ts";
import { findUses, isTerminal, type Usage } from "./usage.ts";

/** Where the uses are looked for. */
export interface UsePlace {
  readonly namespace: NamespaceState;
  readonly index: ImageIndex;
  readonly criManaged: boolean;
  /**
   * `careful` takes every hint for a use; `resolved` goes by the image that the runtime resolved and reads the spelling only
   * where there is none, as the reference behaviour does.
   */
  readonly reading: "careful" | "resolved";
}

/** One use per container and image, in the order of the containers. */
export function containerUses(place: UsePlace): readonly RemovalUse[] {
  return place.namespace.containers.flatMap((container) => usesOf(container, place));
}

/** What each pod that may still run needs. Pods that need nothing here are left out. */
export function podNeeds(pods: readonly Pod[], place: UsePlace): readonly PodNeed[] {
  return pods
    .filter((pod) => !isTerminal(pod))
    .map((pod): PodNeed => {
      const usage = look({ ...place, namespace: { ...place.namespace, containers: [] } }, [pod]);
      const names = new Set([...usage.names.keys()].filter((name) => place.index.nameOf(name) !== undefined));
      return { pod: `${pod.namespace}/${pod.name}`, phase: pod.phase, names, targets: new Set(usage.images.keys()) };
    })
    .filter(({ names, targets }) => names.size + targets.size > 0);
}

function usesOf(container: Container, place: UsePlace): RemovalUse[] {
  const bySpelling = place.reading === "careful" || container.imageId === "";
  const seen = bySpelling ? container : { ...container, image: "" };
  const usage = look({ ...place, namespace: { ...place.namespace, containers: [seen] } }, null);
  const use = {
    id: container.id,
    running: isRunning(container),
    ...(container.pod === undefined ? {} : { pod: container.pod }),
  };
  const known = [...usage.images].flatMap(([target, reasons]) => [
    ...(reasons.some(runs) ? [{ ...use, target }] : []),
    ...(reasons.every(runs) ? [] : [{ ...use, imageMountOf: target }]),
  ]);
  const hinted = place.reading === "careful" ? hintedTargets(usage) : [];
  return [...known, ...[...hinted, ...possibleTargets(usage, place.index)].map((target) => ({ ...use, target }))];
}

function look({ namespace, index, criManaged }: UsePlace, pods: readonly Pod[] | null): Usage {
  return findUses({ namespace, index, pods, semantics: "strict", criManaged });
}

function runs({ code }: Reason): boolean {
  return code === "used-by-container";
}

/** A container whose image is not here as it was resolved may still mean what its spelling names. */
function hintedTargets({ images, named }: Usage): Digest[] {
  if ([...images.values()].some((reasons) => reasons.some(runs))) return [];
  return [...named].flatMap(([target, reasons]) => (reasons.some(runs) ? target : []));
}

/** A container whose image could not be found out may use any image that its spelling leaves possible. */
function possibleTargets({ unresolved, repositories }: Usage, index: ImageIndex): Digest[] {
  if (unresolved.length > 0) return [...index.byTarget.keys()];
  if (repositories.size === 0) return [];
  const matching = index.images.filter(({ names }) => names.some(({ name }) => repositories.has(repositoryIn(name))));
  return matching.map(({ image }) => image.target);
}

function repositoryIn(name: string): string {
  const reference = tryParseReference(name);
  return reference === undefined ? "" : repositoryOf(reference);
}

/** A container of unknown state may be running. */
function isRunning({ state }: Container): boolean {
  return state === "running" || state === "paused" || state === "unknown";
}
