// Reasons to stay that do not come from a use: keep patterns, ages, filters.
import { describe, expect, it } from "vitest";
import { describeDuration } from "../../src/decide/duration.ts";
import { emptyHistory, type History, type Sighting } from "../../src/decide/history.ts";
import { InvalidPatternError, parsePattern } from "../../src/decide/image-pattern.ts";
import { type LabelFilter, parseLabelFilter } from "../../src/decide/label-filter.ts";
import type { Policy } from "../../src/decide/policy.ts";
import { hexOf } from "../../src/image/digest.ts";
import type { Image, ImageName } from "../../src/image/node-state.ts";
import { containerOf, imageOf, sightingOf } from "../support/node-builder.ts";
import { planScene, staying, verdictsOf } from "../support/planned.ts";

const app = imageOf("app");
const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const name = "docker.io/library/nginx:1";

function judge(policy: Partial<Policy>, more: Partial<ImageName> = {}, image: Image = app, history?: History) {
  return planScene({
    images: [image],
    names: [[name, image, more]],
    policy,
    state: { takenAt: now },
    ...(history === undefined ? {} : { history }),
  });
}

describe("a keep pattern", () => {
  it.each([
    ["nginx:1", name],
    ["docker.io/library/nginx:1", name],
    ["docker.io/nginx:1", name],
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:*", name],
    ["docker.io/nginx:*", name],
    ["index.docker.io/nginx:*", name],
    ["index.docker.io/library/nginx:*", name],
    ["index.docker.io/**", name],
    ["nginx:?", name],
    ["library/*", name],
    ["docker.io/**", name],
    ["**", name],
    ["**/nginx:*", name],
    ["*/library/nginx:1", name],
    ["/nginx/", name],
    ["/^docker\\.io\\/library\\/[a-n].*:\\d$/", name],
    ["localhost:5000/app:1", "localhost:5000/app:1"],
    ["localhost:5000/*", "localhost:5000/app:1"],
    ["registry.example:5000/**", "registry.example:5000/team/app@sha256:".concat("a1".repeat(32))],
    ["registry.example/app:*", "registry.example/app:1.2-rc.1"],
    [`nginx@${app.target}`, `docker.io/library/nginx@${app.target}`],
    [`nginx:1@${app.target}`, name],
    [`nginx:1@${app.target}`, `docker.io/library/nginx@${app.target}`],
  ])("%s keeps %s", (pattern, stored) => {
    expect(parsePattern(pattern).matchesName(stored)).toBe(true);
  });

  it.each([
    ["nginx", name],
    ["nginx:2", name],
    ["nginx:*", "docker.io/library/nginx-extra:1"],
    ["nginx:*", "registry.example/nginx:1"],
    ["library/*", "docker.io/library/nested/nginx:1"],
    ["registry.example/app:*", "registryxexample/app:1"],
    ["registry.example:5000/**", "registry.example:6000/app:1"],
    ["nginx:?", "docker.io/library/nginx:10"],
    ["/^nginx/", name],
  ])("%s does not keep %s", (pattern, stored) => {
    expect(parsePattern(pattern).matchesName(stored)).toBe(false);
  });

  it.each([app.target, app.id, hexOf(app.id)])("that is the digest %s keeps the image with every name", (digest) => {
    const policy = { keep: [parsePattern(digest)] };

    const plan = planScene({
      images: [app],
      names: [
        [name, app],
        [app.id, app],
      ],
      policy,
    });

    expect(verdictsOf(plan).stay).toEqual({ [name]: "keep-pattern", [app.id]: "keep-pattern" });
  });

  it.each([
    ["", /empty/],
    [" nginx:*", /holds a space/],
    ["sha256:a0286422dc6c", /no whole digest/],
    ["/(/", /not a regular expression/],
    ["Not A Reference", /no image reference/],
    ["nginx:", /no image reference/],
    ["NGINX/x:", /no image reference/],
  ])("%j is refused with the cause and the mend", (pattern, message) => {
    expect(() => parsePattern(pattern)).toThrow(InvalidPatternError);
    expect(() => parsePattern(pattern)).toThrow(message);
  });

  it("gives the same answer each time it is asked", () => {
    const pattern = parsePattern("/nginx/");

    expect([name, name, name].map(pattern.matchesName)).toEqual([true, true, true]);
  });

  it("keeps the companions of the tag that it matches", () => {
    const digestRef = `docker.io/library/nginx@${app.target}`;
    const policy = { keep: [parsePattern("nginx:1")] };

    const plan = planScene({
      images: [app],
      names: [
        [name, app],
        [digestRef, app],
        [app.id, app],
      ],
      policy,
    });

    expect(staying(plan)).toHaveLength(3);
  });
});

describe("the minimum age", () => {
  const policy = { minAge: hour };

  it.each([
    ["was pulled a minute ago", { createdAt: now - 60_000 }, 1],
    ["was pulled just within the age", { createdAt: now - hour + 1 }, 1],
    ["was pulled exactly that long ago", { createdAt: now - hour }, 0],
    ["was pulled long ago", { createdAt: now - 9 * hour }, 0],
    ["was pulled again a minute ago", { createdAt: now - 9 * hour, updatedAt: now - 60_000 }, 1],
    ["was pulled in the future, by a clock that was wrong", { createdAt: now + hour }, 1],
  ])("judges a name that %s", (_, record, stays) => {
    expect(staying(judge(policy, record))).toHaveLength(stays);
  });

  it("counts from the first sight where the runtime tells no time", () => {
    const seenAt = (firstSeen: number) => historyWith({ firstSeen, lastUsed: firstSeen });

    expect(staying(judge(policy, {}, app, seenAt(now - 60_000)))).toEqual([name]);
    expect(staying(judge(policy, {}, app, seenAt(now - 2 * hour)))).toEqual([]);
  });

  it("counts something never seen before as just seen on a watched node, and as old on a captured one", () => {
    expect(staying(judge(policy, {}, app, emptyHistory("just-used")))).toEqual([name]);
    expect(staying(judge(policy, {}, app, emptyHistory("record-time")))).toEqual([]);
  });
});

describe("the time since the last use", () => {
  const policy = { unusedFor: 24 * hour };

  it.each([
    ["an hour ago", now - hour, 1],
    ["just within the time", now - 24 * hour + 1, 1],
    ["exactly that long ago", now - 24 * hour, 0],
    ["long ago", now - 100 * hour, 0],
  ])("judges an image that was used %s", (_, lastUsed, stays) => {
    expect(staying(judge(policy, {}, app, historyWith({ firstSeen: 0, lastUsed })))).toHaveLength(stays);
  });

  it("counts something never seen before as just used on a watched node", () => {
    expect(verdictsOf(judge(policy, {}, app, emptyHistory("just-used"))).stay).toEqual({ [name]: "recently-used" });
  });

  it("counts from the record's time on a captured node without a history", () => {
    const history = emptyHistory("record-time");

    expect(staying(judge(policy, { createdAt: now - hour }, app, history))).toEqual([name]);
    expect(staying(judge(policy, { createdAt: now - 25 * hour }, app, history))).toEqual([]);
  });

  it("keeps an image whose name is old when the image itself was used recently", () => {
    const history = historyWith({ firstSeen: 0, lastUsed: 0 }, { firstSeen: 0, lastUsed: now - hour });

    expect(staying(judge(policy, {}, app, history))).toEqual([name]);
  });

  it("lets a spare name of an image in use go by its own last use", () => {
    const spare = "docker.io/library/nginx:0";
    const used = sightingOf({ lastUsed: now });
    const names = new Map([
      [name, used],
      [spare, sightingOf()],
    ]);
    const history: History = {
      unknown: "just-used",
      namespaces: new Map([["k8s.io", { images: new Map([[app.target, used]]), names }]]),
    };

    const plan = planScene({
      images: [app],
      names: [
        [name, app],
        [spare, app],
      ],
      containers: [containerOf("c", { image: name, imageId: app.id })],
      policy,
      history,
      state: { takenAt: now },
    });

    expect(verdictsOf(plan).go).toEqual({ [spare]: "spare-name" });
  });
});

describe("the until filter", () => {
  it.each([
    ["older than the moment", { createdAt: now - 1 }, [now], 0],
    ["exactly as old", { createdAt: now }, [now], 1],
    ["younger", { createdAt: now + 1 }, [now], 1],
    ["of unknown age", {}, [now], 1],
    ["older than one of two moments only", { createdAt: now - hour }, [now, now - 2 * hour], 1],
    ["older than both moments", { createdAt: now - 3 * hour }, [now, now - 2 * hour], 0],
  ])("judges a name that is %s", (_, record, until, stays) => {
    expect(staying(judge({ until }, record))).toHaveLength(stays);
  });
});

describe("label filters", () => {
  // The truth table of the reference behaviour, for a config with a=1 alone.
  it.each([
    ["label=a", true],
    ["label=a=1", true],
    ["label=a=2", false],
    ["label=b", false],
    ["label=b=1", false],
    ["label=a!=1", false],
    ["label=a!=2", true],
    ["label!=a", false],
    ["label!=a=1", false],
    ["label!=a=2", true],
    ["label!=b", true],
    ["label!=b=1", true],
    ["label!=a!=1", true],
    ["label!=a!=2", false],
    ["label=a label=b", false],
    ["label=a label!=b", true],
    ["label!=a=2 label!=b", true],
    ["label!=a label!=b", false],
  ])("%s: an image with a=1 may go: %s", (text, accepted) => {
    const labels = text.split(" ").map(filterOf);

    const plan = judge({ labels }, {}, { ...app, labels: { a: "1" } });

    expect(staying(plan)).toHaveLength(accepted ? 0 : 1);
  });

  it("keep an image whose config could not be read, even when they are negated", () => {
    const { labels: _, ...unreadable } = app;

    expect(verdictsOf(judge({ labels: [filterOf("label!=a")] }, {}, unreadable)).stay).toEqual({ [name]: "filtered" });
  });

  it("know no label that only every object has", () => {
    expect(staying(judge({ labels: [filterOf("label=constructor")] }))).toEqual([name]);
  });

  it.each(["", "=1", "!=1"])("without a key (%j) do not parse", (text) => {
    expect(parseLabelFilter(text, false)).toBeUndefined();
  });

  it("take everything behind the first equals sign as the value", () => {
    expect(parseLabelFilter("a=b=c", false)).toEqual({ key: "a", value: "b=c", negated: false });
  });
});

describe("durations in reasons", () => {
  it.each([
    [45_000, "45s"],
    [119_000, "119s"],
    [120_000, "2m"],
    [2 * hour, "2h"],
    [47 * hour, "47h"],
    [48 * hour, "2d"],
    [-30_000, "-30s"],
  ])("%d ms read as %s", (milliseconds, text) => {
    expect(describeDuration(milliseconds)).toBe(text);
  });
});

function historyWith(ofName: Partial<Sighting>, ofImage = ofName): History {
  const seen = { images: new Map([[app.target, sightingOf(ofImage)]]), names: new Map([[name, sightingOf(ofName)]]) };
  return { unknown: "just-used", namespaces: new Map([["k8s.io", seen]]) };
}

function filterOf(text: string): LabelFilter {
  const negated = text.startsWith("label!=");
  const filter = parseLabelFilter(text.slice(negated ? "label!=".length : "label=".length), negated);
  if (filter === undefined) throw new Error(`${text} is no label filter`);
  return filter;
}
