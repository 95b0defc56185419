// The recorded table of removals, through the command: a node file in, the report and the survivors out.
import { describe, expect, it } from "vitest";
import type { RemovalRequest } from "../../src/decide/removal-types.ts";
import { removalVectors } from "../support/vectors/removal-vectors.ts";
import { runRmi } from "./rmi-harness.ts";

describe("rmi on a captured node", () => {
  it.each(removalVectors())("does what the recorded table says: $id $title", async ({ request, expected }) => {
    const flags = [...(request.force ? ["--force"] : []), ...(request.noPrune ? ["--no-prune"] : [])];

    const run = await runRmi(nodeFileOf(request), request.ref, ...flags, "-o", "json");

    const [result] = run.report().results;
    expect({
      status: result?.error?.status ?? 200,
      error: result?.error?.message ?? null,
      result: result?.removed,
      events: result?.events,
      survivors: run.left["default"],
    }).toEqual(expected);
    expect(run.code).toBe(exitCodeOf(expected.status));
  });
});

function exitCodeOf(status: number): number {
  if (status === 200) return 0;
  return status === 400 ? 2 : 1;
}

function nodeFileOf({ records, containers }: RemovalRequest) {
  const parents = new Map(records.flatMap(({ target, parent }) => (parent === undefined ? [] : [[target, parent]])));
  return {
    takenAt: "2026-01-31T12:00:00Z",
    namespaces: [
      {
        name: "default",
        names: records.map(({ name, target }) => ({ name, target })),
        images: [...parents].map(([target, parent]) => ({ target, parent })),
        containers: containers.map(({ id, target, running, imageMountOf }) => ({
          id,
          imageId: target ?? "",
          state: running ? "running" : "exited",
          imageMounts: imageMountOf === undefined ? [] : [imageMountOf],
        })),
      },
    ],
  };
}
