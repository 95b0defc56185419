// What a request to the test API server asks for.
import type { IncomingMessage } from "node:http";

export type ResourceName = "pods" | "nodes" | "events";
export type Verb = "list" | "watch" | "get" | "create" | "patch";

export interface Asked {
  readonly resource: ResourceName;
  readonly verb: Verb;
  /** The name of one object; "" for a collection. */
  readonly name: string;
  readonly query: URLSearchParams;
}

const paths: Readonly<Record<string, ResourceName>> = {
  "/api/v1/pods": "pods",
  "/api/v1/nodes": "nodes",
  "/api/v1/namespaces/default/events": "events",
};

/** Undefined when there is nothing of that kind. */
export function toAsked({ method = "GET", url: target = "/" }: IncomingMessage): Asked | undefined {
  const { pathname, searchParams: query } = new URL(target, "http://server");
  const whole = paths[pathname];
  const cut = pathname.lastIndexOf("/");
  const resource = whole ?? paths[pathname.slice(0, cut)];
  if (resource === undefined) return undefined;
  const name = whole === undefined ? decodeURIComponent(pathname.slice(cut + 1)) : "";
  return { resource, verb: verbOf(method, name, query), name, query };
}

function verbOf(method: string, name: string, query: URLSearchParams): Verb {
  if (method === "POST") return "create";
  if (method === "PATCH") return "patch";
  if (name !== "") return "get";
  return query.get("watch") === "true" ? "watch" : "list";
}
