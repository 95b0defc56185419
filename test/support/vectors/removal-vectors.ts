// The table of removals, recorded from Docker's own functions: one row per situation, as a request and what comes of it.
import { readFileSync } from "node:fs";
import type { RemovalRecord, RemovalReport, RemovalRequest, RemovalUse } from "../../../src/decide/removal-types.ts";
import type { Digest } from "../../../src/image/digest.ts";

interface Row {
  readonly id: string;
  readonly title: string;
  readonly records: readonly { readonly name: string; readonly target: Digest; readonly parent: Digest | null }[];
  readonly containers: readonly {
    readonly id: string;
    readonly resolved: Digest | null;
    readonly running: boolean;
    readonly imageMount: Digest | null;
  }[];
  readonly ref: string;
  readonly force: boolean;
  readonly noprune: boolean;
  readonly status: number;
  readonly error: string | null;
  readonly result: readonly RemovalReport[];
  readonly events: readonly string[];
  readonly survivors: readonly string[];
}

export interface RemovalVector {
  readonly id: string;
  readonly title: string;
  readonly request: RemovalRequest;
  readonly expected: {
    readonly status: number;
    readonly error: string | null;
    readonly result: readonly RemovalReport[];
    readonly events: readonly string[];
    readonly survivors: readonly string[];
  };
}

export function removalVectors(): readonly RemovalVector[] {
  const file = new URL("../../vectors/delete-containerd.json", import.meta.url);
  const rows: readonly Row[] = JSON.parse(readFileSync(file, "utf8"));
  return rows.map(toVector);
}

function toVector(row: Row): RemovalVector {
  const { id, title, ref, force, noprune, status, error, result, events, survivors } = row;
  const request = { records: row.records.map(toRecord), containers: row.containers.map(toUse), ref, force };
  return {
    id,
    title,
    request: { ...request, noPrune: noprune },
    expected: { status, error, result, events, survivors: survivors.toSorted() },
  };
}

function toRecord({ name, target, parent }: Row["records"][number]): RemovalRecord {
  return { name, target, ...(parent === null ? {} : { parent }) };
}

function toUse({ id, resolved, running, imageMount }: Row["containers"][number]): RemovalUse {
  return {
    id,
    running,
    ...(resolved === null ? {} : { target: resolved }),
    ...(imageMount === null ? {} : { imageMountOf: imageMount }),
  };
}
