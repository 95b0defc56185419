// The table of a plan for people: short enough to be read on a node where every image has three names.
import { describe, expect, test } from "vitest";
import { outcomeTable, planTable } from "../../src/cli/plan-table.ts";
import { emptyHistory } from "../../src/decide/history.ts";
import { makePlan } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { Image, NamespaceState, Pod } from "../../src/image/node-state.ts";
import { planReport } from "../../src/report/plan-json.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

const used = imageOf("used");
const unused = imageOf("unused");
const untagged = imageOf("untagged");
// Equally old and large images go in the order of their digests.

/** The three names that CRI keeps for a tag. */
const criNames = (repository: string, tag: string, { target, id }: Image) =>
  [`${repository}:${tag}`, `${repository}@${target}`, id].map((name) => nameOf(name, target));

const node = namespaceOf("k8s.io", {
  images: [used, unused, untagged],
  names: [
    ...criNames("docker.io/library/used", "1", used),
    nameOf("docker.io/library/used:old", used.target),
    ...criNames("registry.example/unused", "1", unused),
    ...criNames("registry.example/untagged", "1", untagged).slice(1),
  ],
  containers: [containerOf("c1", { image: used.id, imageId: used.id, pod: "shop/cart" })],
});
const pods: Pod[] = [{ namespace: "shop", name: "cart", uid: "1", phase: "Running", images: ["used:1"], imageIds: [] }];

test("what a round did shows control characters of names as such: a captured node comes from anywhere", () => {
  const name = "docker.io/library/x:1\u001b[2K\r\u009bX";
  const image = imageOf("x");
  const namespace = namespaceOf("default", { images: [image], names: [nameOf(name, image.target)] });
  const outcome = {
    names: [
      { namespace: "default", name, target: image.target, reason: "unused", result: { kind: "removed" }, seconds: 0 },
    ],
    deleted: [],
    reclaimedBytes: 0,
  } as const;

  const text = outcomeTable(
    planReport({ state: nodeOf({ namespaces: [namespace] }), plan: planOf([namespace]), durationMs: 1, outcome }),
  );

  expect(text.split("\n")[0]).toBe("untagged  docker.io/library/x:1\\u001b[2K\\r\\u009bX");
});

describe("the table of a plan", () => {
  test("has one row an image with its most readable name, and the spare names that go below an image that stays", () => {
    const rows = rowsOf(planTable(planOf([node])));

    expect(rows).toEqual([
      ["VERDICT", "NAME", "IMAGE", "ALONE", "IN PLAN", "AGE", "UNUSED", "REASON"],
      ["delete", "registry.example/unused:1 +2 names", short(unused), "3.2 KiB", "3.2 KiB", "nothing uses the image"],
      [
        "delete",
        `registry.example/untagged@${untagged.target.slice(0, 19)} +1 name`,
        short(untagged),
        "3.2 KiB",
        "3.2 KiB",
        "nothing uses the image",
      ],
      [
        "keep",
        "used:1 +2 names",
        short(used),
        "3.2 KiB",
        "in use",
        expect.stringMatching(/^needed by pod shop\/cart \(Running\), and 1 more$|^used by container c1/),
      ],
      ["  untag", "used:old", "the image stays under another name"],
    ]);
  });

  test("ends with the totals", () => {
    const text = planTable(planOf([node]));

    expect(text.split("\n").at(-1)).toBe(
      "2 images and 6 names would go, 1 image and 3 names stay; 6.4 KiB would be freed",
    );
  });

  test("has a row for every name, in full, when all are asked for", () => {
    const rows = rowsOf(planTable(planOf([node]), { all: true }));

    expect(rows.map(([verdict, name]) => [verdict, name]).slice(1)).toEqual([
      ["delete", "registry.example/unused:1"],
      ["delete", `registry.example/unused@${unused.target}`],
      ["delete", unused.id],
      ["delete", `registry.example/untagged@${untagged.target}`],
      ["delete", untagged.id],
      ["keep", "docker.io/library/used:1"],
      ["untag", "docker.io/library/used:old"],
      ["keep", `docker.io/library/used@${used.target}`],
      ["keep", used.id],
    ]);
  });

  test("names the namespace where there are several", () => {
    const other = namespaceOf("other", { images: [unused], names: [nameOf("example.org/a:1", unused.target)] });

    const [header] = rowsOf(planTable(planOf([node, other])));

    expect(header).toEqual(["VERDICT", "NAMESPACE", "NAME", "IMAGE", "ALONE", "IN PLAN", "AGE", "UNUSED", "REASON"]);
  });

  test("says when there is nothing", () => {
    expect(planTable(planOf([]))).toBe("there are no images here");
  });
});

function planOf(namespaces: readonly NamespaceState[]) {
  const state = nodeOf({ namespaces, pods });
  return makePlan({ state, history: emptyHistory("record-time"), policy: removeAllUnused });
}

/** The rows above the totals; columns are at least three blanks apart. */
function rowsOf(table: string): string[][] {
  const rows = table.split("\n\n")[0]?.split("\n") ?? [];
  return rows.map((row) =>
    row.startsWith("  ") ? ["  untag", ...row.trim().split(/ {3,}/).slice(1)] : row.split(/ {3,}/),
  );
}

function short({ id }: Image): string {
  return id.slice(7, 19);
}
