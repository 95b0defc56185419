// `prunelet images`: the images of this node.

import { describeDuration } from "../decide/protection.ts";
import { shortHex } from "../image/digest.ts";
import { formatBytes } from "../report/bytes.ts";
import { withSession } from "./command-context.ts";
import { exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";
import { type ImageRow, imageRows } from "./image-rows.ts";
import { print, renderTable } from "./output.ts";

export interface ImagesFlags extends CommonFlags {
  readonly digests?: boolean;
}

/** Runs the command and returns its exit code. Needs no pods. */
export function imagesCommand(flags: ImagesFlags, _pattern?: string): Promise<number> {
  return withSession({ ...flags, pods: "none" }, async ({ session }) => {
    const { namespaces } = await session.runtime.observe();
    const rows = imageRows(namespaces);
    print(flags.output, rows, () => imagesTable(rows, session.clock.now(), flags.digests ?? false));
    return exitCode.done;
  });
}

function imagesTable(rows: readonly ImageRow[], now: number, digests: boolean): string {
  const several = new Set(rows.map((row) => row.namespace)).size > 1;
  const header = [
    ...(several ? ["NAMESPACE"] : []),
    "REPOSITORY",
    "TAG",
    ...(digests ? ["DIGEST"] : []),
    "IMAGE ID",
    "CREATED",
    "SIZE",
  ];
  const lines = rows.map((row) => [
    ...(several ? [row.namespace] : []),
    row.repository,
    row.tag,
    ...(digests ? [row.digest] : []),
    shortHex(row.id),
    row.createdAt === null ? "unknown" : `${describeDuration(now - Date.parse(row.createdAt))} ago`,
    formatBytes(row.size),
  ]);
  return renderTable(header, lines);
}
