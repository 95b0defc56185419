// The rules of a policy beyond ages: newest tags, lists by label, the remove list, namespaces of pods, dangling images.
import { describe, expect, it } from "vitest";
import type { History, Sighting } from "../../src/decide/history.ts";
import { InvalidPatternError, parsePattern } from "../../src/decide/image-pattern.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Image } from "../../src/image/node-state.ts";
import { podOf } from "../support/fake-pods.ts";
import { imageOf, sightingOf } from "../support/node-builder.ts";
import { criNames, going, planScene, type Scene, staying, verdictsOf } from "../support/planned.ts";

const now = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
const patterns = (...texts: string[]) => texts.map((text) => parsePattern(text));

describe("the newest tags of a repository", () => {
  const release = (version: number, builtDaysAgo: number): Image => {
    return { ...imageOf(`v${version}`), createdAt: now - builtDaysAgo * 24 * hour };
  };
  const versions = [release(1, 40), release(2, 30), release(3, 20), release(4, 10)];
  const names = versions.map((image, i) => [`r.example/app:${i + 1}`, image] as const);
  const keep = (count: number, more: Partial<Scene> = {}) =>
    staying(planScene({ images: versions, names, policy: { keepPerRepository: count }, ...more }));

  it("stay, as many as the policy says", () => {
    expect(keep(0)).toEqual([]);
    expect(keep(1)).toEqual(["r.example/app:4"]);
    expect(keep(2)).toEqual(["r.example/app:3", "r.example/app:4"]);
    expect(keep(9)).toHaveLength(4);
  });

  it("are counted for each repository, and for the whole name of it", () => {
    const others = [
      ["r.example/app:1", versions[0]],
      ["r.example/app:2", versions[1]],
      ["other.example/app:1", versions[2]],
      ["r.example/team/app:1", versions[3]],
    ] as const;

    expect(keep(1, { names: others as Scene["names"] })).toEqual([
      "other.example/app:1",
      "r.example/app:2",
      "r.example/team/app:1",
    ]);
  });

  it("are the newest by build or by first sight: an old build that came late is new as well", () => {
    const history = historyOf({ "r.example/app:1": { firstSeen: now - hour } }, "record-time");

    expect(keep(1, { history })).toEqual(["r.example/app:1", "r.example/app:4"]);
  });

  it("are told by the first sight where all builds bear one date, as builds that can be repeated do", () => {
    const same = versions.map((image) => ({ ...image, createdAt: 0 }));
    const dated = names.map(([name], i) => [name, same[i] as Image, { createdAt: now - i * hour }] as const);

    expect(keep(1, { images: same, names: dated })).toEqual(["r.example/app:1"]);
  });

  it("take the digest reference and the ID name of their image along", () => {
    const [old, recent] = [versions[0] as Image, versions[3] as Image];
    const all = [...criNames("r.example/app", "1", old), ...criNames("r.example/app", "4", recent)];
    const named = all.map((name, i) => [name, i < 3 ? old : recent] as const);

    const plan = planScene({ images: [old, recent], names: named, policy: { keepPerRepository: 1 } });

    expect(verdictsOf(plan).stay).toEqual({
      "r.example/app:4": "newest-of-repository",
      [`r.example/app@${recent.target}`]: "companion-of-tag",
      [recent.id]: "companion-of-image",
    });
  });
});

describe("the remove list", () => {
  const app = imageOf("app");
  const other = imageOf("other");
  const ages: Partial<Policy> = { unusedFor: 24 * hour, minAge: 24 * hour, keepPerRepository: 1 };
  const young = { createdAt: now - hour };
  const scene = (policy: Partial<Policy>, more: Partial<Scene> = {}) =>
    planScene({
      images: [app, other],
      names: [
        ...criNames("r.example/ci/app", "1", app).map((name) => [name, app, young] as const),
        ["r.example/prod:1", other, young],
      ],
      policy: { ...ages, ...policy },
      ...more,
    });

  it.each([
    ["a name", "r.example/ci/app:1"],
    ["a glob", "r.example/ci/**"],
    ["a regular expression", "/ci\\/app:/"],
    ["the digest of an image", app.target],
    ["the ID of an image", app.id],
  ])("removes what %s of it means, with all companions, whatever the ages", (_, pattern) => {
    const { go } = verdictsOf(scene({ remove: patterns(pattern) }));

    expect(go).toEqual(Object.fromEntries(criNames("r.example/ci/app", "1", app).map((name) => [name, "remove-list"])));
  });

  it("takes images by a label of their config, and leaves alone those whose labels nobody could read", () => {
    const labelled = { ...app, labels: { stage: "ci" } };
    const { labels: _, ...unread } = other;
    const names = [
      ["r.example/app:1", labelled, young],
      ["r.example/prod:1", unread, young],
    ] as const;
    const byLabel = (pattern: string) =>
      going(scene({ remove: patterns(pattern) }, { images: [labelled, unread], names }));

    expect(byLabel("label:stage=ci")).toEqual(["r.example/app:1"]);
    expect(byLabel("label:stage")).toEqual(["r.example/app:1"]);
    expect(byLabel("label:stage=prod")).toEqual([]);
  });

  it("never beats a use, a pin, a keep pattern, or a filter", () => {
    const remove = patterns("r.example/ci/**");
    const pinned = { ...app, pinned: true };

    expect(going(scene({ remove }, { pods: [podOf("p", ["r.example/ci/app:1"])] }))).toEqual([]);
    expect(going(scene({ remove }, { images: [pinned, other] }))).toEqual([]);
    expect(going(scene({ remove, keep: patterns("/:1$/") }))).toEqual([]);
    expect(going(scene({ remove, danglingOnly: true }))).toEqual([]);
    expect(going(scene({ remove, labels: [{ key: "tier", negated: false }] }))).toEqual([]);
  });

  it("untags a listed name while the others of the image are too young to go", () => {
    const names = [
      ["r.example/app:tmp", app, young],
      ["r.example/app:1", app, young],
    ] as const;

    const plan = scene({ remove: patterns("r.example/app:tmp") }, { images: [app], names });

    expect(verdictsOf(plan)).toMatchObject({
      go: { "r.example/app:tmp": "remove-list" },
      stay: { "r.example/app:1": "too-young recently-used" },
    });
  });

  it("jumps the queue: what it means goes before all others", () => {
    const history = historyOf({ "r.example/prod:1": { lastUsed: 0 }, "r.example/ci/app:1": { lastUsed: now - 1 } });

    const plan = planScene({
      images: [app, other],
      names: [
        ["r.example/prod:1", other],
        ["r.example/ci/app:1", app],
      ],
      policy: { remove: patterns("**/ci/**") },
      history,
    });

    expect(plan.images.map(({ names }) => names[0]?.name)).toEqual(["r.example/ci/app:1", "r.example/prod:1"]);
  });
});

describe("a keep pattern by label", () => {
  const base = { ...imageOf("base"), labels: { keep: "yes" } };
  const { labels: _, ...unread } = imageOf("unread");
  const names = [
    ["r.example/base:1", base],
    ["r.example/unread:1", unread],
    ["r.example/app:1", imageOf("app")],
  ] as const;

  it("keeps images with the label, and those that may have it", () => {
    const plan = planScene({
      images: [base, unread, imageOf("app")],
      names,
      policy: { keep: patterns("label:keep=yes") },
    });

    expect(verdictsOf(plan).stay).toEqual({ "r.example/base:1": "keep-pattern", "r.example/unread:1": "keep-pattern" });
  });

  it.each(["label:", "label:=x", "label:a!=b"])("%s is refused", (text) => {
    expect(() => parsePattern(text)).toThrow(InvalidPatternError);
  });
});

describe("the namespaces of the pods that used an image last", () => {
  const app = imageOf("app");
  const stays = (podNamespaces: Partial<Policy["podNamespaces"]>, usedBy: string[]): boolean => {
    const policy = { podNamespaces: { only: [], except: [], ...podNamespaces } };
    const history = historyOf({ "r.example/app:1": {} }, "just-used", { usedBy });
    const plan = planScene({ images: [app], names: [["r.example/app:1", app]], policy, history });
    return verdictsOf(plan).stay["r.example/app:1"] === "pod-namespace";
  };

  it.each([
    [["prod"], true],
    [["ci", "prod"], true],
    [["production"], false],
    [["ci"], false],
    [[], false],
  ])("except prod: used last by %j, it stays: %s", (usedBy, expected) => {
    expect(stays({ except: ["prod"] }, usedBy)).toBe(expected);
  });

  it.each([
    [["ci-a"], false],
    [["ci-a", "ci-b"], false],
    [["ci-a", "prod"], true],
    [["prod"], true],
    [[], true],
  ])("only ci-*: used last by %j, it stays: %s", (usedBy, expected) => {
    expect(stays({ only: ["ci-*"] }, usedBy)).toBe(expected);
  });

  it("count under pressure as well", () => {
    const policy = { podNamespaces: { only: [], except: ["prod"] } };
    const history = historyOf({ "r.example/app:1": {} }, "just-used", { usedBy: ["prod"] });
    const demand = { mode: "emergency", bytes: 1, inodes: 0, because: "" } as const;

    expect(
      going(planScene({ images: [app], names: [["r.example/app:1", app]], policy, history, more: { demand } })),
    ).toEqual([]);
  });
});

describe("dangling images", () => {
  const app = imageOf("app");
  const plain = imageOf("plain");
  const scene = (danglingFor: number | undefined) =>
    going(
      planScene({
        namespace: "default",
        images: [app, plain],
        names: [
          [`moby-dangling@${app.target}`, app, { createdAt: now - 2 * hour }],
          ["r.example/plain:1", plain, { createdAt: now - 2 * hour }],
        ],
        policy: { unusedFor: 24 * hour, danglingFor },
      }),
    );

  it("go by a time of their own where the policy has one", () => {
    expect(scene(hour)).toEqual([`moby-dangling@${app.target}`]);
    expect(scene(3 * hour)).toEqual([]);
  });

  it("go like all others where it has none", () => {
    expect(scene(undefined)).toEqual([]);
  });

  it("are not meant by the record of another image's digest: that is an ordinary name", () => {
    const foreign = `moby-dangling@${imageOf("other").target}`;
    const plan = planScene({
      namespace: "default",
      images: [app],
      names: [[foreign, app, { createdAt: now - 2 * hour }]],
      policy: { unusedFor: 24 * hour, danglingFor: hour },
    });

    expect(going(plan)).toEqual([]);
  });
});

describe("an image whose removal failed", () => {
  it("waits with all its names for as long as it is told, and the plan says so", () => {
    const app = imageOf("app");
    const backoff = new Map([["k8s.io", new Map([[app.target, "failed twice, tried again at 12:00"]])]]);

    const plan = planScene({ images: [app], names: [["r.example/app:1", app]], more: { backoff } });

    expect(plan.images[0]).toMatchObject({
      action: "keep",
      reasons: [{ code: "backoff", detail: "failed twice, tried again at 12:00" }],
    });
    expect(plan.brakes).toMatchObject([{ code: "backoff", images: 1 }]);
  });
});

/** What is remembered of names, and of every image the same. */
function historyOf(
  names: Readonly<Record<string, Partial<Sighting>>>,
  unknown: History["unknown"] = "record-time",
  image?: Partial<Sighting>,
): History {
  const images = new Map(image === undefined ? [] : [[imageOf("app").target, sightingOf(image)]]);
  const sightings = new Map(Object.entries(names).map(([name, seen]) => [name, sightingOf(seen)]));
  return { unknown, namespaces: new Map([["k8s.io", { images, names: sightings }]]) };
}
