// Chooses records of the audit as they are read, and keeps no more of them than are asked for.
import { InvalidPatternError, parsePattern } from "../decide/image-pattern.ts";
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import type { AuditRecord } from "../report/audit-record.ts";
import { CommandError, exitCode } from "./exit.ts";

/** Which records are wanted. */
export interface Wanted {
  /** Milliseconds since the epoch; this moment and later ones. */
  readonly since: number | undefined;
  /** Milliseconds since the epoch; only earlier ones. */
  readonly until: number | undefined;
  /** Patterns of names, digests or beginnings of image IDs; one has to match, unless there are none. */
  readonly images: readonly string[];
  /** Codes of reasons or modes; one has to be it, unless there are none. */
  readonly reasons: readonly string[];
  /** The newest ones, at most. */
  readonly limit: number;
  /** False: only what went, and each name of a deleted image only in the record of the image. */
  readonly all: boolean;
}

type ImageTest = (names: readonly string[], image: Image) => boolean;

/** Takes the records in the order of time. */
export class AuditSelection {
  readonly #wanted: Wanted;
  readonly #tests: readonly ImageTest[];
  #records: AuditRecord[] = [];
  #more = 0;

  /** Throws `CommandError` for a pattern that cannot be understood. */
  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#tests = wanted.images.map(imageTest);
  }

  add(record: AuditRecord): void {
    if (!this.#isWanted(record)) return;
    if (record.event === "deleted" && !this.#wanted.all) this.#withoutNamesOf(record.id);
    this.#records.push(record);
    // Trimmed in large steps, because taking from the front of a list is dear.
    if (this.#records.length > this.#wanted.limit + slack) this.#trim();
  }

  /** The records, the oldest first, and how many older ones there would be. */
  result(): { readonly records: readonly AuditRecord[]; readonly more: number } {
    this.#trim();
    return { records: this.#records, more: this.#more };
  }

  #trim(): void {
    const surplus = this.#records.length - this.#wanted.limit;
    if (surplus <= 0) return;
    this.#records = this.#records.slice(surplus);
    this.#more += surplus;
  }

  #withoutNamesOf(id: string): void {
    const recent = this.#records.splice(-slack);
    for (const one of recent) if (one.event !== "untagged" || one.id !== id) this.#records.push(one);
  }

  #isWanted(record: AuditRecord): boolean {
    const { since, until, reasons, all } = this.#wanted;
    if (!all && record.event !== "untagged" && record.event !== "deleted") return false;
    const time = Date.parse(record.time);
    if ((since !== undefined && time < since) || (until !== undefined && time >= until)) return false;
    if (
      reasons.length > 0 &&
      !("reason" in record && (reasons.includes(record.reason) || reasons.includes(record.mode)))
    )
      return false;
    return this.#tests.length === 0 || this.#tests.some((test) => matches(test, record));
  }
}

/** Records that are looked back at: the names of an image go within moments of it. */
const slack = 2_048;

function matches(test: ImageTest, record: AuditRecord): boolean {
  if (!("image" in record)) return false;
  const names = "names" in record ? record.names : [record.name];
  const target = record.target as Digest;
  const digests = record.digests as Digest[];
  return test(names, { target, id: record.image as Digest, digests, pinned: false, blobs: [], snapshots: [] });
}

function imageTest(text: string): ImageTest {
  const hex = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(text)?.[1];
  const pattern = patternOf(text);
  return (names, image) =>
    names.some(pattern.matchesName) ||
    pattern.matchesImage(image) ||
    (hex !== undefined && image.digests.some((digest) => digest.slice(digest.indexOf(":") + 1).startsWith(hex)));
}

function patternOf(text: string) {
  try {
    return parsePattern(text);
  } catch (error) {
    if (!(error instanceof InvalidPatternError)) throw error;
    throw new CommandError(`--image ${error.message}`, exitCode.usage);
  }
}
