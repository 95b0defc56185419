// Lists a selection of objects, page by page.
import { ApiError } from "./errors.ts";
import { fields, list, text } from "./json.ts";
import { type ApiContext, get, readBody } from "./request.ts";
import type { Freshness, Listed, Resource } from "./resource.ts";

const pageSize = 500;
/** An object is at most 1.5 MiB in the store; real pods are about 10 KiB, so a full page is a few MiB. */
const maxPageBytes = 64 * 1024 * 1024;
/** Far above the pods of any node; stops a server whose continue tokens never end. */
const maxPages = 200;

/** The objects of a selection by key. Throws only `ApiError`; code `expired` asks for an exact list. */
export async function listAll<T>(context: ApiContext, resource: Resource<T>, freshness: Freshness): Promise<Listed<T>> {
  const items = new Map<string, T>();
  let continueToken = "";
  for (let page = 0; page < maxPages; page++) {
    const answer = await readObject(
      context,
      pagePath(resource, freshness, continueToken),
      `a list of ${resource.noun}`,
    );
    for (const value of list(answer["items"])) {
      const item = resource.read(value);
      items.set(resource.keyOf(item), item);
    }
    const metadata = fields(answer["metadata"]);
    continueToken = text(metadata["continue"]);
    if (continueToken === "") {
      return { items, resourceVersion: versionOf(metadata, resource) };
    }
  }
  throw new ApiError("malformed", `the list of ${resource.noun} does not end after ${maxPages} pages`);
}

/** Reads one JSON object; `what` says for messages what was asked for. Throws only `ApiError`. */
export async function readObject(
  context: ApiContext,
  path: string,
  what: string,
  accept?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(context, await get(context, path, accept), maxPageBytes);
  try {
    return fields(JSON.parse(body));
  } catch (error) {
    throw new ApiError("malformed", `${context.connection.server} answered ${what} with something else`, error);
  }
}

function pagePath<T>(resource: Resource<T>, freshness: Freshness, continueToken: string): string {
  const query = new URLSearchParams([
    ["fieldSelector", resource.fieldSelector],
    ["limit", String(pageSize)],
  ]);
  if (continueToken !== "") {
    // The token holds the version already; the API server refuses both together.
    query.set("continue", continueToken);
  } else if (freshness.kind === "cached") {
    query.set("resourceVersion", "0");
  } else if (freshness.kind === "notOlderThan") {
    query.set("resourceVersion", freshness.resourceVersion);
    // Together with a limit, a version means "exactly this one" unless it is said otherwise.
    // https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
    query.set("resourceVersionMatch", "NotOlderThan");
  }
  return `${resource.path}?${query}`;
}

function versionOf<T>(metadata: Readonly<Record<string, unknown>>, { noun }: Resource<T>): string {
  const version = text(metadata["resourceVersion"]);
  if (version === "") {
    throw new ApiError("malformed", `the list of ${noun} has no metadata.resourceVersion`);
  }
  return version;
}
