// Reads the few fields of a pod that matter here. The pod itself is dropped, so that a node's worth of them costs little memory.
import type { Pod } from "../image/node-state.ts";
import { fields, list, optionalFields, required, text } from "./json.ts";

/** A pod in the API server's JSON as a `Pod` (spec/v1 Pod). Throws `ApiError` with code `malformed` when it is none. */
export function toPod(value: unknown): Pod {
  const metadata = fields(fields(value)["metadata"]);
  const spec = fields(fields(value)["spec"]);
  const status = optionalFields(fields(value)["status"]);
  return Object.freeze({
    namespace: text(metadata["namespace"]),
    name: required(metadata, "name", "a pod"),
    uid: required(metadata, "uid", "a pod"),
    phase: text(status["phase"]),
    images: distinct([
      ...texts(spec["containers"], "image"),
      ...texts(spec["initContainers"], "image"),
      ...texts(spec["ephemeralContainers"], "image"),
      ...list(spec["volumes"]).map((volume) => text(optionalFields(fields(volume)["image"])["reference"])),
    ]),
    imageIds: distinct([
      ...texts(status["containerStatuses"], "imageID"),
      ...texts(status["initContainerStatuses"], "imageID"),
      ...texts(status["ephemeralContainerStatuses"], "imageID"),
    ]),
  });
}

function texts(items: unknown, key: string): readonly string[] {
  return list(items).map((item) => text(fields(item)[key]));
}

function distinct(all: readonly string[]): readonly string[] {
  return Object.freeze([...new Set(all)].filter((entry) => entry !== ""));
}
