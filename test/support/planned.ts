// Plans in few words: which names stay and why, on one namespace.
import { emptyHistory, type History } from "../../src/decide/history.ts";
import { makePlan, type Plan, type PlanInput } from "../../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import type { Digest } from "../../src/image/digest.ts";
import type { Container, Image, ImageName, NamespaceState, NodeState, Pod } from "../../src/image/node-state.ts";
import { nameOf, namespaceOf, nodeOf } from "./node-builder.ts";

export interface Scene {
  /** Default `k8s.io`. */
  readonly namespace?: string;
  readonly images: readonly Image[];
  /** Each stored name and the image that it points to. */
  readonly names: readonly (readonly [name: string, image: Image, more?: Partial<ImageName>])[];
  readonly containers?: readonly Container[];
  /** Default: known, and none. Null: there is no pod source. */
  readonly pods?: readonly Pod[] | null;
  readonly policy?: Partial<Policy>;
  readonly history?: History;
  readonly state?: Partial<NodeState>;
  readonly held?: NamespaceState["held"];
  /** What else the plan is made from. */
  readonly more?: Pick<PlanInput, "demand" | "backoff" | "maxGap">;
}

/** Records of the namespace k8s.io carry the label that CRI gives them. */
export function planScene(scene: Scene): Plan {
  const { namespace = "k8s.io", images, containers = [], pods = [], policy, history, state, held } = scene;
  const labels = namespace === "k8s.io" ? { "io.cri-containerd.image": "managed" } : {};
  const names = scene.names.map(([name, { target }, more]) => nameOf(name, target, { labels, ...more }));
  const only = namespaceOf(namespace, { names, images, containers, ...(held === undefined ? {} : { held }) });
  return makePlan({
    state: nodeOf({ namespaces: [only], pods, ...state }),
    history: history ?? emptyHistory("record-time"),
    policy: { ...removeAllUnused, ...policy },
    ...scene.more,
  });
}

/** Names that stay, each with the codes of its reasons; names that go with the code why. */
export function verdictsOf(plan: Plan): { stay: Record<string, string>; go: Record<string, string> } {
  const all = plan.images.flatMap(({ names }) => names);
  const codes = (action: string) =>
    Object.fromEntries(
      all
        .filter((verdict) => verdict.action === action)
        .map(({ name, reasons }) => [name, [...new Set(reasons.map(({ code }) => code))].join(" ")]),
    );
  return { stay: codes("keep"), go: codes("untag") };
}

/** Names that stay, in byte order. */
export function staying(plan: Plan): string[] {
  return Object.keys(verdictsOf(plan).stay).sort();
}

/** Names that go, in byte order. */
export function going(plan: Plan): string[] {
  return Object.keys(verdictsOf(plan).go).sort();
}

/** CRI's three names of a pulled image. */
export function criNames(repository: string, tag: string, image: Image): [tag: string, digest: string, id: Digest] {
  return [`${repository}:${tag}`, `${repository}@${image.target}`, image.id];
}
