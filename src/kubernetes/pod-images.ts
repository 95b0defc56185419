// Reads the few fields of a pod that matter here. The pod itself is dropped, so that a node's worth of them costs little memory.
import type { Pod } from "../image/node-state.ts";
import { ApiError } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A pod in the API server's JSON as a `Pod` (spec/v1 Pod). Throws `ApiError` with code `malformed` when it is none. */
export function toPod(value: unknown): Pod {
  const metadata = fields(fields(value)["metadata"]);
  const spec = fields(fields(value)["spec"]);
  const status = optionalFields(fields(value)["status"]);
  return Object.freeze({
    namespace: text(metadata["namespace"]),
    name: required(metadata, "name"),
    uid: required(metadata, "uid"),
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

/** True when both say the same of the same pod. */
export function isSamePod(one: Pod, other: Pod): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** `value` as an object. Throws `ApiError` when it is none. */
export function fields(value: unknown): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new ApiError("malformed", `the API server sent ${describe(value)} where an object belongs`);
  }
  return value as Fields;
}

/** `value` as an array; absent means empty. Throws `ApiError` when it is something else. */
export function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw new ApiError("malformed", `the API server sent ${describe(value)} where a list belongs`);
  }
  return value;
}

/** `value` as text; absent means empty. Throws `ApiError` when it is something else. */
export function text(value: unknown): string {
  if (value === undefined || value === null) {
    return "";
  }
  if (typeof value !== "string") {
    throw new ApiError("malformed", `the API server sent ${describe(value)} where text belongs`);
  }
  return value;
}

function optionalFields(value: unknown): Fields {
  return value === undefined || value === null ? {} : fields(value);
}

function required(metadata: Fields, key: string): string {
  const found = text(metadata[key]);
  if (found === "") {
    throw new ApiError("malformed", `the API server sent a pod without metadata.${key}`);
  }
  return found;
}

function texts(items: unknown, key: string): readonly string[] {
  return list(items).map((item) => text(fields(item)[key]));
}

function distinct(all: readonly string[]): readonly string[] {
  return Object.freeze([...new Set(all)].filter((entry) => entry !== ""));
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
