// Which pods' images an operator wants looked after: by the namespaces of the pods that used an image last.
import type { PodNamespaces } from "./policy.ts";

/** Why an image that pods of these namespaces used last stays, in words; undefined when it may go. */
export function foreignPodNamespace({ only, except }: PodNamespaces, usedBy: readonly string[]): string | undefined {
  const spared = usedBy.find((namespace) => except.some((pattern) => matches(pattern, namespace)));
  if (spared !== undefined) return `pods of namespace ${spared} used it last`;
  if (only.length === 0) return undefined;
  if (usedBy.length === 0) return "no pod is known to have used it, and only images of certain pods may go";
  const other = usedBy.find((namespace) => !only.some((pattern) => matches(pattern, namespace)));
  return other === undefined ? undefined : `pods of namespace ${other} used it last, and only those of others may go`;
}

const expressions = new Map<string, RegExp>();

function matches(pattern: string, namespace: string): boolean {
  let expression = expressions.get(pattern);
  if (expression === undefined) {
    const source = pattern.replaceAll(/[^*?]/g, (letter) => letter.replace(/[\\^$.|+()[\]{}]/, "\\$&"));
    expression = new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
    expressions.set(pattern, expression);
  }
  return expression.test(namespace);
}
