// `prunelet images`: the images of this node.
import { describeDuration } from "../decide/duration.ts";
import { shortHex } from "../image/digest.ts";
import { formatBytes } from "../report/bytes.ts";
import { withSession } from "./command-context.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { filterImages, readImageFilters } from "./image-filter.ts";
import { type ImageRow, imageRows } from "./image-rows.ts";
import { print, renderTable } from "./output.ts";

export interface ImagesFlags extends CommonFlags {
  readonly digests?: boolean;
  readonly sharedSize?: boolean;
  readonly filter?: string[];
  /** False when whole IDs are wanted. */
  readonly trunc?: boolean;
  readonly quiet?: boolean;
}

/** Runs the command and returns its exit code. Needs no pods. */
export function imagesCommand(flags: ImagesFlags, repository?: string): Promise<number> {
  const { filter: filterTexts = [], ...nodeFlags } = flags;
  const filters = readImageFilters(filterTexts, repository);
  return withSession({ ...nodeFlags, pods: "none" }, async ({ session }) => {
    const state = await session.runtime.observe();
    const all = imageRows(state, { everyReference: flags.digests ?? false });
    const rows = filterImages(all, filters, state).map(({ row }) => row);
    const data = flags.quiet ? rows.map(({ id }) => id) : rows;
    print(flags.output, data, () => imagesText(rows, session.clock.now(), flags));
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, session.history);
    return exitCode.done;
  });
}

function imagesText(rows: readonly ImageRow[], now: number, flags: ImagesFlags): string {
  const idOf = ({ id }: ImageRow): string => (flags.trunc === false ? id : shortHex(id));
  return flags.quiet ? rows.map(idOf).join("\n") : imagesTable(rows, now, { ...flags, idOf });
}

interface Column {
  readonly title: string;
  readonly cell: (row: ImageRow) => string;
}

function imagesTable(
  rows: readonly ImageRow[],
  now: number,
  { digests, sharedSize, idOf }: ImagesFlags & { readonly idOf: (row: ImageRow) => string },
): string {
  const several = new Set(rows.map((row) => row.namespace)).size > 1;
  const columns: Column[] = [
    ...(several ? [{ title: "NAMESPACE", cell: (row: ImageRow) => row.namespace }] : []),
    { title: "REPOSITORY", cell: ({ repository }) => repository },
    { title: "TAG", cell: ({ tag }) => tag },
    ...(digests ? [{ title: "DIGEST", cell: (row: ImageRow) => row.digest }] : []),
    { title: "IMAGE ID", cell: idOf },
    { title: "CREATED", cell: ({ createdAt }) => ageText(createdAt, now) },
    { title: "SIZE", cell: ({ size }) => formatBytes(size) },
    ...(sharedSize
      ? [
          { title: "SHARED SIZE", cell: (row: ImageRow) => formatBytes(row.sharedSize) },
          { title: "UNIQUE SIZE", cell: (row: ImageRow) => formatBytes(row.uniqueSize) },
        ]
      : []),
  ];
  const titles = columns.map(({ title }) => title);
  return renderTable(
    titles,
    rows.map((row) => columns.map(({ cell }) => cell(row))),
  );
}

function ageText(createdAt: string | null, now: number): string {
  return createdAt === null ? "unknown" : `${describeDuration(now - Date.parse(createdAt))} ago`;
}
