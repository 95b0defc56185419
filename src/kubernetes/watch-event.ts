// The lines of a watch, as typed events.
import { ApiError, messageOf } from "./errors.ts";
import { fields, text } from "./json.ts";
import type { Resource } from "./resource.ts";

/** What one line of a watch means. */
export type WatchEvent<T> =
  | { readonly kind: "changed"; readonly item: T; readonly resourceVersion: string }
  | { readonly kind: "deleted"; readonly item: T; readonly resourceVersion: string }
  /** Nothing changed up to this version. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  /** A type that this program does not know. */
  | { readonly kind: "ignored" };

/** Reads one line. Throws `ApiError`: `expired` for a version that is gone, `refused` for other errors, else `malformed`. */
export function parseWatchLine<T>(line: string, resource: Resource<T>): WatchEvent<T> {
  const { noun } = resource;
  const event = fields(parseJson(line, noun));
  const object = event["object"];
  const type = text(event["type"]);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "changed", item: resource.read(object), resourceVersion: versionOf(object, noun) };
    case "DELETED":
      return { kind: "deleted", item: resource.read(object), resourceVersion: versionOf(object, noun) };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: versionOf(object, noun) };
    case "ERROR":
      throw errorOf(fields(object), noun);
    default:
      return { kind: "ignored" };
  }
}

function parseJson(line: string, noun: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ApiError("malformed", `the watch of ${noun} sent a line that is not JSON: ${messageOf(error)}`, error);
  }
}

function versionOf(object: unknown, noun: string): string {
  const version = text(fields(fields(object)["metadata"])["resourceVersion"]);
  if (version === "") {
    throw new ApiError("malformed", `the watch of ${noun} sent an object without metadata.resourceVersion`);
  }
  return version;
}

function errorOf(status: Readonly<Record<string, unknown>>, noun: string): ApiError {
  const code = status["code"];
  const gone = code === 410 || status["reason"] === "Expired" || status["reason"] === "Gone";
  return new ApiError(
    gone ? "expired" : "refused",
    `the watch of ${noun} failed (${String(code)}): ${String(status["message"])}`,
  );
}
