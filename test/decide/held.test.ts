// Content that a lease or a running pull holds was asked for by somebody: its names stay.
import { expect, it } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { makePlan } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

it("keeps an image whose content a lease holds, and removes the one beside it", () => {
  const leased = imageOf("leased");
  const spare = imageOf("spare");
  const names = [
    nameOf("docker.io/library/leased:1", leased.target),
    nameOf("docker.io/library/spare:1", spare.target),
  ];
  const held = { blobs: [leased.target], snapshots: [] };
  const state = nodeOf({ namespaces: [namespaceOf("default", { names, images: [leased, spare], held })] });

  const plan = makePlan({ state, history: emptyHistory("record-time"), policy: removeAllUnused });

  expect(plan.images.map(({ action, reasons }) => [action, reasons.map(({ code }) => code)])).toEqual([
    ["delete", ["unused"]],
    ["keep", ["held"]],
  ]);
});
