// Space that is needed: what goes, in which order, when it is enough, and what is said of the rest.
import { describe, expect, it } from "vitest";
import type { DemandMode } from "../../src/decide/demand.ts";
import type { Plan } from "../../src/decide/plan.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Image, NodeState } from "../../src/image/node-state.ts";
import { containerOf, imageOf, sightingOf } from "../support/node-builder.ts";
import { planScene, type Scene } from "../support/planned.ts";

const now = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
// Each image alone: manifest 100, config 200, and for each layer of 1000 a snapshot of 2000.
const alone = 300 + 3_000;

interface Node {
  readonly images: readonly Image[];
  /** Hours since the last use, in the order of the images. */
  readonly idle: readonly number[];
  readonly mode?: DemandMode;
  readonly bytes?: number;
  readonly inodes?: number;
  readonly policy?: Partial<Policy>;
  readonly scene?: Partial<Scene>;
  readonly state?: Partial<NodeState>;
}

const policy: Partial<Policy> = { unusedFor: 1_000 * hour, minAge: 2 * hour };

function planOf({ images, idle, mode = "pressure", bytes = 0, inodes = 0, ...more }: Node): Plan {
  const names = images.map((image, i) => [`r.example/app:${i}`, image] as const);
  const seen = idle.map((hours) => sightingOf({ lastUsed: now - hours * hour, firstSeen: now - hours * hour }));
  const history = {
    unknown: "just-used" as const,
    namespaces: new Map([
      [
        "k8s.io",
        {
          images: new Map(images.map(({ target }, i) => [target, seen[i] ?? sightingOf()])),
          names: new Map(names.map(([name], i) => [name, seen[i] ?? sightingOf()])),
        },
      ],
    ]),
  };
  return planScene({
    images,
    names,
    history,
    policy: { ...policy, ...more.policy },
    more: { demand: { mode, bytes, inodes, because: "91% of bytes used on /var" } },
    ...more.scene,
  });
}

const gone = (plan: Plan): string[] =>
  plan.images.filter(({ action }) => action === "delete").map(({ names }) => names[0]?.name.split(":")[1] ?? "");
const codesOf = (plan: Plan, tag: string): string[] =>
  plan.images
    .filter(({ names }) => names[0]?.name === `r.example/app:${tag}`)
    .flatMap(({ reasons }) => reasons.map(({ code }) => code));

describe("under pressure", () => {
  const three = ["a", "b", "c"].map((word) => imageOf(word));

  it("in the order superseded-sooner, replaced tags go before images that were used longer ago", () => {
    const [old, current, other] = three as [Image, Image, Image];
    const names = [
      ["r.example/app:old", old],
      ["r.example/app:current", current],
      ["r.example/tool:other", other],
    ] as const;
    const planWith = (hoursSinceOld: number, order: Policy["order"]): string[] => {
      const [ofOld, ofCurrent, ofOther] = [
        sightingOf({ firstSeen: now - 90 * hour, lastUsed: now - hoursSinceOld * hour }),
        sightingOf({ firstSeen: now - 80 * hour, lastUsed: now - 29 * hour }),
        sightingOf({ firstSeen: now - 95 * hour, lastUsed: now - 30 * hour }),
      ];
      const seen = {
        images: new Map([ofOld, ofCurrent, ofOther].map((one, i) => [three[i]?.target ?? old.target, one])),
      };
      const byName = new Map([ofOld, ofCurrent, ofOther].map((one, i) => [names[i]?.[0] ?? "", one]));
      const namespaces = new Map([["k8s.io", { ...seen, names: byName }]]);
      const scene = { names, history: { unknown: "just-used" as const, namespaces } };
      return gone(planOf({ images: three, idle: [], bytes: 1, policy: { order }, scene }));
    };

    expect(planWith(10, "least-recently-used")).toEqual(["other"]);
    expect(planWith(10, "superseded-sooner")).toEqual(["old"]);
    expect(planWith(5, "superseded-sooner")).toEqual(["other"]);
  });

  it("the least recently used go first, until it is enough", () => {
    const plan = planOf({ images: three, idle: [10, 30, 20], bytes: alone + 1 });

    expect(gone(plan)).toEqual(["1", "2"]);
    expect(plan).toMatchObject({ plannedBytes: 2 * alone, shortfall: 0, brakes: [] });
    expect(plan.images[0]?.reasons).toEqual([{ code: "pressure", detail: "91% of bytes used on /var" }]);
    expect(codesOf(plan, "0")).toEqual(["recently-used", "enough-freed"]);
  });

  it("nothing goes when what goes anyway is enough", () => {
    const plan = planOf({ images: three, idle: [2_000, 30, 20], bytes: alone });

    expect(gone(plan)).toEqual(["0"]);
    expect(plan.images[0]?.reasons).toMatchObject([{ code: "unused" }]);
  });

  it("the larger goes first of those that were used last at the same time, and then the smaller digest", () => {
    const images = [imageOf("small", { layerSize: 10 }), imageOf("large", { layerSize: 5_000 }), ...three.slice(0, 2)];
    const twins = three.slice(0, 2).map(({ target }, i) => ({ target, tag: String(i + 2) }));
    const byDigest = twins.toSorted((a, b) => (a.target < b.target ? -1 : 1)).map(({ tag }) => tag);

    expect(gone(planOf({ images, idle: [9, 9, 9, 9], bytes: 1e9 }))).toEqual(["1", ...byDigest, "0"]);
  });

  it("bytes follow: what gains by the removal of another comes before what gained more at first", () => {
    const base = ["base"];
    const first = imageOf("first", { layers: base });
    const grows = { ...imageOf("grows", { layers: base }), blobs: imageOf("grows", { layers: base }).blobs };
    const middle = imageOf("middle", { layerSize: 100 });

    const plan = planOf({ images: [first, grows, middle], idle: [30, 9, 9], bytes: 1e9 });

    expect(gone(plan)).toEqual(["0", "1", "2"]);
    expect(plan.images.map(({ bytes, bytesInPlan }) => [bytes, bytesInPlan])).toEqual([
      [300, 300],
      [300, 3_300],
      [600, 600],
    ]);
  });

  it("images that share everything with each other are found together", () => {
    const twins = ["x", "y"].map((word) => imageOf(word, { layers: ["huge"], layerSize: 50_000 }));
    const images = [...twins, imageOf("small", { layerSize: 10 })];

    const plan = planOf({ images, idle: [30, 20, 10], bytes: 100_000 });

    expect(gone(plan)).toEqual(["0", "1"]);
    expect(plan.images.map(({ bytesInPlan }) => bytesInPlan)).toEqual([300, 150_300, 0]);
  });

  it("an image whose removal gains nothing is left alone, and what comes after it goes", () => {
    const used = imageOf("used", { layers: ["huge"], layerSize: 50_000 });
    const shares = imageOf("shares", { layers: ["huge"], layerSize: 50_000 });
    const images = [used, shares, imageOf("other", { layerSize: 20_000 })];
    const containers = [containerOf("c", { imageId: used.id })];

    const plan = planOf({ images, idle: [90, 80, 70], bytes: 10_000, scene: { containers } });

    expect(gone(plan)).toEqual(["2"]);
    expect(codesOf(plan, "1")).toEqual(["recently-used", "gains-nothing"]);
  });

  it("what cannot be freed is said in bytes", () => {
    const plan = planOf({ images: three, idle: [9, 9, 9], bytes: 10 * alone });

    expect(plan.shortfall).toBe(7 * alone);
    expect(gone(plan)).toHaveLength(3);
  });

  it("the minimum age counts, and in an emergency it does not, as far as it must", () => {
    const pressure = planOf({ images: three, idle: [30, 1, 0], bytes: 2 * alone });
    const emergency = planOf({ images: three, idle: [30, 1, 0], mode: "emergency", bytes: 2 * alone });

    expect(gone(pressure)).toEqual(["0"]);
    expect(codesOf(pressure, "1")).toEqual(["too-young", "recently-used"]);
    expect(gone(emergency)).toEqual(["0", "1"]);
    expect(codesOf(emergency, "2")).toContain("enough-freed");
  });

  it("an emergency takes what pressure may take before it breaks more rules", () => {
    const kept = { keepPerRepository: 1 };

    const plan = planOf({ images: three, idle: [1, 20, 10], mode: "emergency", bytes: alone, policy: kept });

    expect(gone(plan)).toEqual(["1"]);
  });

  it("inodes are freed as well, as far as they can be estimated", () => {
    const many = { ...imageOf("many"), snapshots: [{ key: "overlayfs/many", size: 10, inodes: 5_000 }] };
    const images = [imageOf("few"), many];

    const plan = planOf({ images, idle: [30, 20], inodes: 1_000 });

    expect(gone(plan)).toEqual(["0", "1"]);
    expect(plan.plannedInodes).toBe(4 + 5_003);
  });

  it("names that would go anyway go, and an image that does not go keeps the others", () => {
    const names = [
      ["r.example/app:1", three[0], { createdAt: 0 }],
      ["r.example/app:2", three[0], { createdAt: now }],
    ] as const;

    const plan = planScene({
      images: three.slice(0, 1),
      names: names as Scene["names"],
      policy: { minAge: hour },
      more: { demand: { mode: "pressure", bytes: 1, inodes: 0, because: "" } },
    });

    expect(plan.images[0]?.names.map(({ name, action }) => [name, action])).toEqual([
      ["r.example/app:1", "untag"],
      ["r.example/app:2", "keep"],
    ]);
  });
});

describe("a budget for all images", () => {
  const four = ["a", "b", "c", "d"].map((word) => imageOf(word, { layers: ["base", word] }));
  const all = 4 * alone + 3_000;

  it("lets the least recently used go when images take more", () => {
    const plan = planOf({
      images: four,
      idle: [9, 30, 20, 40],
      mode: "routine",
      policy: { maxImageBytes: all - alone - 1 },
    });

    expect(gone(plan)).toEqual(["3", "1"]);
    expect(plan.images[0]?.reasons).toMatchObject([{ code: "over-budget" }]);
    expect(codesOf(plan, "0")).toContain("enough-freed");
  });

  it("changes nothing when they take just as much", () => {
    expect(
      gone(planOf({ images: four, idle: [9, 30, 20, 40], mode: "routine", policy: { maxImageBytes: all } })),
    ).toEqual([]);
  });

  it("counts what is in use, and says what is missing", () => {
    const containers = four.map(({ id }, i) => containerOf(`c${i}`, { imageId: id }));

    const plan = planOf({
      images: four,
      idle: [9, 9, 9, 9],
      mode: "routine",
      policy: { maxImageBytes: 1_000 },
      scene: { containers },
    });

    expect(plan.shortfall).toBe(all - 1_000);
  });
});

describe("limits on one round", () => {
  const ten = Array.from({ length: 10 }, (_, i) => imageOf(`image ${i}`));
  const idle = ten.map((_, i) => 2_000 + i);
  const limited = (brakes: Policy["brakes"]): Plan =>
    planOf({ images: ten, idle, mode: "routine", policy: { brakes } });

  it.each([
    [{ maxRemovals: 3, maxFraction: undefined }, 3, ["max-removals"]],
    [{ maxRemovals: undefined, maxFraction: 0.2 }, 2, ["max-fraction"]],
    [{ maxRemovals: undefined, maxFraction: 0.07 }, 0, ["max-fraction"]],
    [{ maxRemovals: 3, maxFraction: 0.2 }, 2, ["max-removals", "max-fraction"]],
    [{ maxRemovals: 10, maxFraction: 1 }, 10, []],
    [{ maxRemovals: undefined, maxFraction: undefined }, 10, []],
  ])("%j leave %d of ten images to go", (brakes, count, codes) => {
    const plan = limited(brakes);

    expect(gone(plan)).toEqual(["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"].slice(0, count));
    expect(plan.brakes.map(({ code }) => code)).toEqual(codes);
    expect(plan.plannedBytes).toBe(count * alone);
  });

  it("keep what they cut off with all its names, and say what held it back", () => {
    const plan = limited({ maxRemovals: 9, maxFraction: undefined });

    expect(plan.images.at(-1)).toMatchObject({
      action: "keep",
      reasons: [{ code: "brake", detail: "1 of 10 images wait: at most 9 in one round" }],
    });
    expect(plan.brakes).toEqual([
      { code: "max-removals", detail: "1 of 10 images wait: at most 9 in one round", images: 1 },
    ]);
  });
});
