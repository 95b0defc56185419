// Lists the pods of one node, page by page.
import type { Pod } from "../image/node-state.ts";
import { ApiError } from "./errors.ts";
import { fields, list, text, toPod } from "./pod-images.ts";
import { type ApiContext, get, readBody } from "./request.ts";

/** The pods of a node and the version of the collection at which they were true. */
export interface PodList {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly resourceVersion: string;
}

/**
 * How fresh a list has to be. `cached`: whatever the API server has at hand. `notOlderThan`: no step back in time.
 * `exact`: read through to the store, for when the API server cannot serve the other two.
 */
export type Freshness =
  | { readonly kind: "cached" }
  | { readonly kind: "notOlderThan"; readonly resourceVersion: string }
  | { readonly kind: "exact" };

const pageSize = 500;
/** A pod is at most 1.5 MiB in the store; real ones are about 10 KiB, so a full page is a few MiB. */
const maxPageBytes = 64 * 1024 * 1024;
/** Far above the pods of any node; stops a server whose continue tokens never end. */
const maxPages = 200;

/** The pods bound to `nodeName`, by UID. Throws only `ApiError`; code `expired` asks for an exact list. */
export async function listPods(context: ApiContext, nodeName: string, freshness: Freshness): Promise<PodList> {
  const pods = new Map<string, Pod>();
  let continueToken = "";
  for (let page = 0; page < maxPages; page++) {
    const answer = await readPage(context, pagePath(nodeName, freshness, continueToken));
    for (const item of list(answer["items"])) {
      const pod = toPod(item);
      pods.set(pod.uid, pod);
    }
    const metadata = fields(answer["metadata"]);
    continueToken = text(metadata["continue"]);
    if (continueToken === "") {
      return { pods, resourceVersion: versionOf(metadata) };
    }
  }
  throw new ApiError("malformed", `the list of pods does not end after ${maxPages} pages`);
}

/** The field selector that names a node. */
export function nodeSelector(nodeName: string): [name: string, value: string] {
  return ["fieldSelector", `spec.nodeName=${nodeName}`];
}

function pagePath(nodeName: string, freshness: Freshness, continueToken: string): string {
  const query = new URLSearchParams([nodeSelector(nodeName), ["limit", String(pageSize)]]);
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
  return `/api/v1/pods?${query}`;
}

async function readPage(context: ApiContext, path: string): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(context, await get(context, path), maxPageBytes);
  try {
    return fields(JSON.parse(body));
  } catch (error) {
    throw new ApiError("malformed", `${context.connection.server} answered a list of pods with something else`, error);
  }
}

function versionOf(metadata: Readonly<Record<string, unknown>>): string {
  const version = text(metadata["resourceVersion"]);
  if (version === "") {
    throw new ApiError("malformed", "the list of pods has no metadata.resourceVersion");
  }
  return version;
}
