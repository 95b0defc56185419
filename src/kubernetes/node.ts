// The own Node object: its labels, read once and then watched. Metadata only: the status of a node is long and changes often.
import type { Instant } from "../image/node-state.ts";
import { ApiError } from "./errors.ts";
import { type FollowOptions, follow } from "./follow.ts";
import { fields, optionalFields, required, text } from "./json.ts";
import { readObject } from "./list.ts";
import type { ApiContext } from "./request.ts";
import type { Listed, Resource } from "./resource.ts";
import type { Known } from "./view.ts";

/** The node as far as it is known. */
export type NodeView =
  | {
      readonly kind: "known";
      readonly uid: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly confirmedAt: Instant;
    }
  /** `reason` is one line for people, with the mend. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface NodeSource {
  /** Begins to read and watch. */
  start(): void;
  /** What is known now. Never waits. */
  view(): NodeView;
  /** Resolves when the node was read, or with what is known after `timeoutMs` milliseconds. */
  ready(timeoutMs: number): Promise<NodeView>;
  /** Called after every change; returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

export interface WatchNodeOptions extends FollowOptions {
  readonly nodeName: string;
}

interface NodeFacts {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The node called `nodeName`. Does nothing before `start`; never throws out of the background. */
export function watchNode(options: WatchNodeOptions): NodeSource {
  const { nodeName } = options;
  const followed = follow(nodeNamed(nodeName), options);
  const toView = (known: Known<NodeFacts>): NodeView => {
    if (known.kind === "unsynced") return { kind: "unknown", reason: known.reason };
    const [node] = known.items;
    if (node !== undefined)
      return { kind: "known", uid: node.uid, labels: node.labels, confirmedAt: known.confirmedAt };
    const mend = "check NODE_NAME or --node-name, and whether the node was removed from the cluster";
    return { kind: "unknown", reason: `the API server knows no node ${nodeName}: ${mend}` };
  };
  return {
    ...followed,
    view: () => toView(followed.view()),
    ready: async (timeoutMs) => toView(await followed.ready(timeoutMs)),
  };
}

/** Asks once whether there is such a node. Throws `ApiError` when the API server does not tell. */
export async function nodeExists(context: ApiContext, nodeName: string): Promise<boolean> {
  const resource = nodeNamed(nodeName);
  return (await resource.list(context, { kind: "cached" })).items.size === 1;
}

const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v1,application/json";

function nodeNamed(nodeName: string): Resource<NodeFacts> {
  const path = "/api/v1/nodes";
  const resource: Resource<NodeFacts> = {
    noun: "nodes",
    selection: "the labels of this node",
    readVerb: "get",
    path,
    fieldSelector: `metadata.name=${nodeName}`,
    watchAccept: metadataOnly,
    read: toNode,
    keyOf: (node) => node.uid,
    compare: (one, other) => (one.uid < other.uid ? -1 : 1),
    list: (context) => getNode(context, resource, `${path}/${encodeURIComponent(nodeName)}`),
  };
  return resource;
}

/** A get, not a list: so the rights can be limited to get and watch. */
async function getNode(context: ApiContext, resource: Resource<NodeFacts>, path: string): Promise<Listed<NodeFacts>> {
  // The version of a single object may be long gone from the server's memory: the watch begins with what is there instead.
  const resourceVersion = "";
  try {
    const node = resource.read(await readObject(context, path, "a node", metadataOnly));
    return { items: new Map([[resource.keyOf(node), node]]), resourceVersion };
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return { items: new Map(), resourceVersion };
    throw error;
  }
}

function toNode(value: unknown): NodeFacts {
  const metadata = fields(fields(value)["metadata"]);
  const labels = Object.entries(optionalFields(metadata["labels"])).map(([key, label]) => [key, text(label)] as const);
  return {
    uid: required(metadata, "uid", "a node"),
    name: required(metadata, "name", "a node"),
    labels: Object.freeze(Object.fromEntries(labels)),
  };
}
