// Which records of an image are the same reference: those that go together when a person removes one name.
import { isDanglingName } from "../image/image-id.ts";
import { formatReference, type Reference, repositoryOf, tryParseReference } from "../image/reference.ts";
import type { RemovalRecord } from "./removal-types.ts";

/** A record with the reference that its name spells; dangling records and ID names spell none. */
interface Entry {
  readonly record: RemovalRecord;
  readonly reference: Reference | undefined;
}

/** What the records are compared with. */
interface Wanted {
  readonly repository: string;
  /** Undefined when no record of the repository has a tag. */
  readonly tag: string | undefined;
  /** A digest was given without a tag: every tag of the repository is meant. */
  readonly anyTag: boolean;
}

type Match = "same" | "digest-only" | "other-tag" | "other-repository";

/**
 * The records of `all` that count as the reference `named`, in their order, digest references last. Without a reference
 * the first record that spells one takes its place. Digest references go along with the last tag of their repository and
 * stay as long as another tag of it is there. Records that spell no reference always go along.
 */
export function sameReferences(named: Reference | undefined, all: readonly RemovalRecord[]): readonly RemovalRecord[] {
  const entries = all.map((record) => ({ record, reference: referenceOf(record) }));
  const first = entries.find((entry) => entry.reference !== undefined);
  const model = named ?? first?.reference;
  if (model === undefined) return all;
  const wanted = wantedFrom(model, named !== undefined, entries);
  const matches = entries.map((entry) =>
    named === undefined && entry === first ? "same" : match(wanted, entry.reference),
  );
  const same = all.filter((_, index) => matches[index] === "same");
  const digestOnly = all.filter((_, index) => matches[index] === "digest-only");
  return matches.includes("other-tag") ? same : [...same, ...digestOnly];
}

function referenceOf({ name, target }: RemovalRecord): Reference | undefined {
  if (isDanglingName(name, target)) return undefined;
  const reference = tryParseReference(name);
  return reference !== undefined && formatReference(reference) === name ? reference : undefined;
}

/** A model without a tag stands for the first tag of its repository. */
function wantedFrom(model: Reference, isGiven: boolean, entries: readonly Entry[]): Wanted {
  const repository = repositoryOf(model);
  const ofRepository = entries.flatMap(({ reference }) =>
    reference !== undefined && repositoryOf(reference) === repository ? [reference] : [],
  );
  return {
    repository,
    tag: model.tag ?? ofRepository.find((reference) => reference.tag !== undefined)?.tag,
    anyTag: isGiven && model.tag === undefined && model.digest !== undefined,
  };
}

function match(wanted: Wanted, reference: Reference | undefined): Match {
  if (reference === undefined) return "same";
  if (repositoryOf(reference) !== wanted.repository) return "other-repository";
  if (wanted.anyTag) return "same";
  if (reference.tag === undefined) return "digest-only";
  return reference.tag === wanted.tag ? "same" : "other-tag";
}
