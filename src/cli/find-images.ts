// From the references that a person typed to images, with one line for each that means none.
import { createImageFinder, type FoundImage } from "../decide/find-image.ts";
import type { NodeState } from "../image/node-state.ts";
import { printable } from "../report/printable.ts";
import { exitCode } from "./exit.ts";
import { explainMissing } from "./missing-image.ts";

export interface FoundImages {
  /** In the order in which they were asked for, each once. */
  readonly images: readonly FoundImage[];
  /** One line for each reference that means no image, or several. */
  readonly problems: readonly string[];
  /** 0 when every reference means an image. */
  readonly code: number;
}

/** Looks all references up. */
export function findImages(state: Pick<NodeState, "namespaces">, references: readonly string[]): FoundImages {
  const find = createImageFinder(state);
  const images = new Map<object, FoundImage>();
  const problems: string[] = [];
  let code: number = exitCode.done;
  for (const reference of references) {
    const search = find(reference);
    if (search.kind === "found") for (const one of search.images) images.set(one.entry, one);
    else {
      problems.push(explainMissing(search, reference, state));
      code = Math.max(code, search.kind === "invalid" ? exitCode.usage : exitCode.failed);
    }
  }
  return { images: [...images.values()], problems, code };
}

/** Writes problems to stderr, a line each. */
export function tellProblems(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`prunelet: ${printable(problem)}\n`);
}
