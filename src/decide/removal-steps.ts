// The steps of a removal: which record goes, in which order, and what is reported once it is gone.
import type { Digest } from "../image/digest.ts";
import { danglingName, isDanglingName, parseAny } from "../image/image-id.ts";
import { familiarName, InvalidReferenceError, tryParseReference } from "../image/reference.ts";
import type { ResolvedImage } from "./removal-resolve.ts";
import type { AcceptedRemoval, RemovalRecord, RemovalReport, RemovalStep } from "./removal-types.ts";

/** Labels that repeat the name of a record; a dangling record must not carry the name that was taken away. */
const nameLabels: ReadonlySet<string> = new Set(["io.containerd.image.name", "org.opencontainers.image.ref.name"]);

/** Removes names while the image stays. A name that is no reference goes without a report. */
export function untagSteps(records: readonly RemovalRecord[]): readonly RemovalStep[] {
  return records.map(({ name, target }) => {
    const reference = tryParseReference(name);
    const reports = reference === undefined ? [] : [{ untagged: familiarName(reference) }];
    return { kind: "untag", name, target, reports };
  });
}

/** Removes one name of an image in use; a dangling record takes its place when it was the last one. */
export function softDeleteSteps(record: RemovalRecord, shownName: string, isLast: boolean): readonly RemovalStep[] {
  const { name, target } = record;
  const untag: RemovalStep = { kind: "untag", name, target, reports: [{ untagged: shownName }] };
  return isLast ? [...createDangling(record, withoutNameLabels(record.labels)), untag] : [untag];
}

/** Keeps the content of `record` under its dangling name. Nothing to do for a record that is dangling already. */
export function createDangling(record: RemovalRecord, labels: RemovalRecord["labels"]): readonly RemovalStep[] {
  const { name, target, parent } = record;
  if (isDanglingName(name, target)) return [];
  return [
    {
      kind: "create-dangling",
      name: danglingName(target),
      target,
      ...(parent === undefined ? {} : { parent }),
      ...(labels === undefined ? {} : { labels }),
      reports: [],
    },
  ];
}

/**
 * Removes every record of an image. A record whose name is neither reference nor ID ends the list with a problem, the
 * message for the person; `steps` is then what comes before it.
 */
export function deleteImageSteps(image: ResolvedImage): { steps: readonly RemovalStep[]; problem?: string } {
  const steps: RemovalStep[] = [];
  for (const [index, { name, target }] of image.all.entries()) {
    const shown = shownNameOf(name);
    if ("problem" in shown) return { steps, problem: shown.problem };
    const untagged: readonly RemovalReport[] = isDanglingName(name, target) ? [] : [{ untagged: shown.text }];
    const isLast = index === image.all.length - 1;
    steps.push({ kind: "delete", name, target, reports: isLast ? [...untagged, { deleted: target }] : untagged });
  }
  return { steps };
}

/** Removes a parent, provided that it is dangling. */
export function deleteParentStep({ name, target }: RemovalRecord): RemovalStep | undefined {
  if (!isDanglingName(name, target)) return undefined;
  return { kind: "delete", name, target, reports: [{ deleted: target }] };
}

/** What the steps report, and the events in the words of the reference behaviour. */
export function reportsOf(steps: readonly RemovalStep[]): {
  report: readonly RemovalReport[];
  events: readonly string[];
} {
  const report = steps.flatMap((step) => step.reports);
  const events = steps.flatMap((step) => step.reports.map((entry) => eventOf(entry, step.target)));
  return { report, events };
}

/** The plan that carries the steps out. */
export function accepted(steps: readonly RemovalStep[]): AcceptedRemoval {
  const { report, events } = reportsOf(steps);
  return { kind: "removal", steps, report, events };
}

function eventOf(entry: RemovalReport, target: Digest): string {
  if ("deleted" in entry) return `delete id=${entry.deleted} name=${entry.deleted}`;
  return `untag id=${target} name=${entry.untagged}`;
}

function shownNameOf(name: string): { text: string } | { problem: string } {
  try {
    const reading = parseAny(name);
    return { text: reading.kind === "id" ? reading.digest : familiarName(reading.reference) };
  } catch (error) {
    if (error instanceof InvalidReferenceError) return { problem: error.message };
    throw error;
  }
}

function withoutNameLabels(labels: RemovalRecord["labels"]): RemovalRecord["labels"] {
  if (labels === undefined) return undefined;
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !nameLabels.has(key)));
}
