// A keep pattern that matches nothing protects nothing: a person who typed one is told, because a slip of the pen looks the same.
import { indexImages } from "../decide/image-index.ts";
import { parsePattern } from "../decide/image-pattern.ts";
import type { Image, NamespaceState, NodeState } from "../image/node-state.ts";

/** Writes a line to stderr for each `--keep` that matches no image of the node. Not an error: the image may come later. */
export function tellUnmatched(patterns: readonly string[] = [], state: Pick<NodeState, "namespaces">): void {
  for (const text of patterns) {
    if (!matchesSomething(text, state.namespaces)) process.stderr.write(`prunelet: note: ${explanation(text)}\n`);
  }
}

function matchesSomething(text: string, namespaces: readonly NamespaceState[]): boolean {
  const { matchesName, matchesImage, ofLabel } = parsePattern(text);
  // Labels that are not known may be the ones.
  const matches = (image: Image): boolean => matchesImage(image) || (ofLabel && image.labels === undefined);
  return namespaces.some((namespace) => {
    const { images } = indexImages(namespace);
    return namespace.names.some(({ name }) => matchesName(name)) || images.some(({ image }) => matches(image));
  });
}

function explanation(text: string): string {
  const nothing = `--keep ${text} matches no image here`;
  return isBareRepository(text)
    ? `${nothing}: without a tag it means ${text}:latest, every tag is '${text}:*'`
    : nothing;
}

/** A reference that names neither tag nor digest. */
function isBareRepository(text: string): boolean {
  const lastComponent = text.slice(text.lastIndexOf("/") + 1);
  return /^[a-z0-9]/.test(text) && !/[:@*?]/.test(lastComponent) && !text.includes("*") && !/^[0-9a-f]{64}$/.test(text);
}
