// Nodes whose unused images all go, for tests of what comes between a plan and its execution.
import type { NameOutcome, Outcome } from "../../src/act/outcome.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

export const one = imageOf("one");
export const two = imageOf("two");
export const three = imageOf("three");

export function threeImages(more: Partial<NodeState> = {}): NodeState {
  const names = [one, two, three].map((image, i) => nameOf(`r.example/${["one", "two", "three"][i]}:1`, image.target));
  return inNamespace("k8s.io", names, more);
}

export function inNamespace(
  name: string,
  names: NodeState["namespaces"][number]["names"],
  more: Partial<NodeState> = {},
): NodeState {
  const images = [one, two, three].filter(({ target }) => names.some((entry) => entry.target === target));
  return nodeOf({ namespaces: [namespaceOf(name, { names, images })], ...more });
}

export function manyImages(count: number): NodeState {
  const images = Array.from({ length: count }, (_, i) => imageOf(`image ${i}`));
  const names = images.map(({ target }, i) => nameOf(`r.example/many:${String(i).padStart(3, "0")}`, target));
  return nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images })] });
}

/** What became of each name. */
export function resultsOf(outcome: Outcome): Record<string, NameOutcome["result"]["kind"]> {
  return Object.fromEntries(outcome.names.map(({ name, result }) => [name, result.kind]));
}
