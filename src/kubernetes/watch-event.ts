// The lines of a watch, as typed events.
import type { Pod } from "../image/node-state.ts";
import { ApiError, messageOf } from "./errors.ts";
import { fields, text, toPod } from "./pod-images.ts";

/** What one line of a watch means. */
export type WatchEvent =
  | { readonly kind: "changed"; readonly pod: Pod; readonly resourceVersion: string }
  | { readonly kind: "deleted"; readonly pod: Pod; readonly resourceVersion: string }
  /** Nothing changed up to this version. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  /** A type that this program does not know. */
  | { readonly kind: "ignored" };

/** Reads one line. Throws `ApiError`: `expired` for a version that is gone, `refused` for other errors, else `malformed`. */
export function parseWatchLine(line: string): WatchEvent {
  const event = fields(parseJson(line));
  const type = text(event["type"]);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "changed", pod: toPod(event["object"]), resourceVersion: versionOf(event["object"]) };
    case "DELETED":
      return { kind: "deleted", pod: toPod(event["object"]), resourceVersion: versionOf(event["object"]) };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: versionOf(event["object"]) };
    case "ERROR":
      throw errorOf(fields(event["object"]));
    default:
      return { kind: "ignored" };
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ApiError("malformed", `the watch of pods sent a line that is not JSON: ${messageOf(error)}`, error);
  }
}

function versionOf(object: unknown): string {
  const version = text(fields(fields(object)["metadata"])["resourceVersion"]);
  if (version === "") {
    throw new ApiError("malformed", "the watch of pods sent an object without metadata.resourceVersion");
  }
  return version;
}

function errorOf(status: Readonly<Record<string, unknown>>): ApiError {
  const code = status["code"];
  const gone = code === 410 || status["reason"] === "Expired" || status["reason"] === "Gone";
  return new ApiError(
    gone ? "expired" : "refused",
    `the watch of pods failed (${String(code)}): ${String(status["message"])}`,
  );
}
