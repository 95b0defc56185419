// Filters on the labels of an image's config, with the grammar of `docker image prune --filter label=...`.

/** One condition: the label is there, has a value, or the contrary. */
export interface LabelFilter {
  readonly key: string;
  readonly value?: string;
  readonly negated: boolean;
}

/**
 * Parses `key`, `key=value` or `key!=value`. `negated` says that it came from a `label!=` filter;
 * `label!=key!=value` negates twice. Undefined when there is no key.
 */
export function parseLabelFilter(text: string, negated: boolean): LabelFilter | undefined {
  const equals = text.indexOf("=");
  if (equals < 0) return text === "" ? undefined : { key: text, negated };
  const inner = text[equals - 1] === "!";
  const key = text.slice(0, inner ? equals - 1 : equals);
  return key === "" ? undefined : { key, value: text.slice(equals + 1), negated: negated !== inner };
}

/** True when the labels satisfy the condition. */
export function matchesLabel(filter: LabelFilter, labels: Readonly<Record<string, string>>): boolean {
  const found = Object.hasOwn(labels, filter.key) ? labels[filter.key] : undefined;
  const holds = found !== undefined && (filter.value === undefined || filter.value === found);
  return holds !== filter.negated;
}
