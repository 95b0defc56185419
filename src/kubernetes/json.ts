// Reads JSON of the API server with checks: whatever is not what it should be becomes an ApiError.
import { ApiError } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

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

/** `value` as an object; absent means empty. Throws `ApiError` when it is something else. */
export function optionalFields(value: unknown): Fields {
  return value === undefined || value === null ? {} : fields(value);
}

/** Text that has to be there. Throws `ApiError` when it is not; `what` names the object for the message. */
export function required(metadata: Fields, key: string, what: string): string {
  const found = text(metadata[key]);
  if (found === "") {
    throw new ApiError("malformed", `the API server sent ${what} without metadata.${key}`);
  }
  return found;
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
