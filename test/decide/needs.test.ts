// What has to be found out for a plan, and what a plan comes out the same without.
import fc from "fast-check";
import { expect, test } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { parsePattern } from "../../src/decide/image-pattern.ts";
import { needsOf } from "../../src/decide/needs.ts";
import { makePlan, type PlanInput } from "../../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import type { Image, NodeState } from "../../src/image/node-state.ts";
import { planInputArbitrary } from "../support/node-arbitrary.ts";

const history = emptyHistory("just-used");
const needs = (rule: Partial<Policy>) => needsOf({ policy: { ...removeAllUnused, ...rule }, history });

test("what a person means by prune without flags needs neither record times nor configs", () => {
  expect(needs({})).toEqual({ recordTimes: false, imageConfigs: false });
});

test.each<Partial<Policy>>([{ keepPerRepository: 1 }, { until: [0] }, { order: "superseded-sooner" }])(
  "the rule %o needs both",
  (rule) => {
    expect(needs(rule)).toEqual({ recordTimes: true, imageConfigs: true });
  },
);

test("a minimum age needs record times alone", () => {
  expect(needs({ minAge: 1 })).toEqual({ recordTimes: true, imageConfigs: false });
});

test.each<Partial<Policy>>([
  { labels: [{ key: "keep", negated: true }] },
  { keep: [parsePattern("registry.example/app:*"), parsePattern("label:keep")] },
  { remove: [parsePattern("label:ci=true")] },
])("the rule %o needs configs alone", (rule) => {
  expect(needs(rule)).toEqual({ recordTimes: false, imageConfigs: true });
});

test("patterns of names need nothing", () => {
  expect(needs({ keep: [parsePattern("nginx")], remove: [parsePattern("/ci/")] }).imageConfigs).toBe(false);
});

test("a captured node without a history needs record times", () => {
  const captured = { policy: removeAllUnused, history: emptyHistory("record-time") };

  expect(needsOf(captured).recordTimes).toBe(true);
});

test("a plan that needs no configs is the same without them", () => {
  const needless = planInputArbitrary.filter((input) => !needsOf(input).imageConfigs);
  fc.assert(
    fc.property(needless, (input) => {
      const told = makePlan(input);
      const untold = makePlan({ ...input, state: withoutConfigs(input.state) });

      expect(decisionsIn(untold)).toEqual(decisionsIn(told));
    }),
    { numRuns: 300 },
  );
});

function decisionsIn({ images, ...rest }: ReturnType<typeof makePlan>) {
  return { ...rest, images: images.map(({ image, ...verdict }) => ({ ...verdict, target: image.target })) };
}

function withoutConfigs(state: NodeState): PlanInput["state"] {
  const namespaces = state.namespaces.map((namespace) => ({
    ...namespace,
    images: namespace.images.map(withoutConfig),
  }));
  return { ...state, namespaces };
}

function withoutConfig({ labels: _labels, platform: _platform, createdAt: _createdAt, ...image }: Image): Image {
  return image;
}
