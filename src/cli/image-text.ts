// How images and their users are called in text for people.
import { classifyText } from "../decide/name-kind.ts";
import { shortHex } from "../image/digest.ts";
import { familiarName, tryParseReference } from "../image/reference.ts";

/** `container 1a2b3c4d5e6f of pod shop/cart (running)`. */
export function containerText(container: {
  readonly id: string;
  readonly state: string;
  readonly pod?: string | null;
  readonly kind?: string;
}): string {
  const { id, state, pod, kind = "container" } = container;
  return `${kind} ${id.slice(0, 12)}${pod ? ` of pod ${pod}` : ""} (${state})`;
}

/** `pod shop/cart (Pending)`. */
export function podText(pod: { readonly namespace: string; readonly name: string; readonly phase: string }): string {
  return `pod ${pod.namespace}/${pod.name} (${pod.phase || "no phase"})`;
}

/** A stored name as people write it; digests in full. Text that is no reference stays as it is. */
export function readableName(name: string): string {
  const { kind } = classifyText(name);
  const reference = kind === "tag" || kind === "digest-reference" ? tryParseReference(name) : undefined;
  return reference === undefined ? name : familiarName(reference);
}

const readability = { tag: 0, other: 1, "digest-reference": 2, dangling: 3, id: 4 } as const;

/** The names of an image, the one that tells people most first: a tag, then a digest reference, then the rest. */
export function mostReadableFirst(names: readonly string[]): string[] {
  return names.toSorted((a, b) => readability[classifyText(a).kind] - readability[classifyText(b).kind]);
}

/** One name for an image: digests shortened, and how many other names there are. */
export function imageTitle(names: readonly string[], id: string): string {
  const [first, ...others] = mostReadableFirst(names);
  if (first === undefined) return `<none> ${shortHex(id)}`;
  return others.length === 0
    ? shortened(first)
    : `${shortened(first)} +${others.length} name${others.length === 1 ? "" : "s"}`;
}

/** The name with its digest cut to what people compare. */
export function shortened(name: string): string {
  return readableName(name).replaceAll(/(sha\d{3}:[0-9a-f]{12})[0-9a-f]+/g, "$1");
}
