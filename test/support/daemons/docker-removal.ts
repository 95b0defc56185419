// One removal that is compared with `docker rmi`, and the messages of an engine that refuses.
import type { Scene } from "./docker-stage.ts";

export interface Removal extends Scene {
  readonly title: string;
  readonly ref: string;
  readonly force?: boolean;
  /** What the command prints line by line, or the message with which it refuses; `{container}` is the first container. */
  readonly prints: readonly string[] | string;
}

export const inUse = (name: string) =>
  `conflict: unable to delete ${name} (must be forced) - container {container} is using its referenced image {A:12}`;
export const running =
  "conflict: unable to delete {A:12} (cannot be forced) - image is being used by running container {container}";
export const stopped =
  "conflict: unable to delete {A:12} (must be forced) - image is being used by stopped container {container}";
export const severalNames =
  "conflict: unable to delete {A:12} (must be forced) - image is referenced in multiple repositories";
