// The table of image references, recorded from Docker's own library: one row per spelling.
import { readFileSync } from "node:fs";

export interface ReferenceVector {
  readonly id: string;
  readonly input: string;
  /** The reading of a parser that takes image IDs first. */
  readonly any: string | null;
  readonly normalized: string | null;
  readonly error: string | null;
  readonly domain: string | null;
  readonly path: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly withDefaultTag: string | null;
  /** Short form, after the default tag was added. */
  readonly familiar: string | null;
  readonly criLookup: string | null;
  readonly canonical: boolean;
  readonly shortIdHex: string | null;
}

export function referenceVectors(): readonly ReferenceVector[] {
  return JSON.parse(readFileSync(new URL("../../vectors/references.json", import.meta.url), "utf8"));
}
