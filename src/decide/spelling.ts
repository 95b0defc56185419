// What a text that names an image may mean, read once: the same spellings come back in container after container, plan after plan.
import type { Digest } from "../image/digest.ts";
import { shortIdHex } from "../image/image-id.ts";
import {
  formatReference,
  type Reference,
  repositoryOf,
  tryParseReference,
  withDefaultTag,
} from "../image/reference.ts";
import { digestsIn, stripRuntimeScheme } from "../image/runtime-spelling.ts";
import { remembered } from "./remembered.ts";

/** The names and the repository that a spelling means when it is read as a reference. */
export interface SpelledReference {
  /** The full form, with the default tag where there is neither tag nor digest. */
  readonly name: string;
  readonly repository: string;
  /** The names that a spelling with both tag and digest means besides: with the tag alone, and with the digest alone. */
  readonly halves: { readonly tagged: string; readonly digested: string } | undefined;
}

/** Each meaning is found out when it is asked for first. */
export class Spelling {
  readonly text: string;
  #digests: readonly Digest[] | undefined;
  #reference: SpelledReference | null | undefined;
  #shortId: string | null | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Every complete digest that it mentions. */
  get digests(): readonly Digest[] {
    this.#digests ??= digestsIn(this.text);
    return this.#digests;
  }

  /** Undefined when it is no reference. */
  get reference(): SpelledReference | undefined {
    if (this.#reference === undefined) this.#reference = spelledReference(this.text) ?? null;
    return this.#reference ?? undefined;
  }

  /** The digits of a full or shortened image ID; undefined when it is none. */
  get shortId(): string | undefined {
    if (this.#shortId === undefined) this.#shortId = shortIdHex(this.text) ?? null;
    return this.#shortId ?? undefined;
  }
}

function spelledReference(text: string): SpelledReference | undefined {
  const parsed = tryParseReference(stripRuntimeScheme(text));
  if (parsed === undefined) return undefined;
  const repository = repositoryOf(parsed);
  return { name: formatReference(withDefaultTag(parsed)), repository, halves: halvesOf(parsed, repository) };
}

function halvesOf({ tag, digest }: Reference, repository: string): SpelledReference["halves"] {
  if (tag === undefined || digest === undefined) return undefined;
  return { tagged: `${repository}:${tag}`, digested: `${repository}@${digest}` };
}

/** What repositories a text may mean that is no reference: in small letters, and without a digest that is none. */
export function repositoriesMeant(text: string): readonly string[] {
  const small = stripRuntimeScheme(text).toLowerCase();
  const parsed = [small, small.slice(0, Math.max(0, small.indexOf("@")))].flatMap(
    (one) => tryParseReference(one) ?? [],
  );
  return [...new Set(parsed.map(repositoryOf))];
}

/** Reads a spelling. What it means can never change. */
export const readSpelling = remembered(10_000, (text) => new Spelling(text));
