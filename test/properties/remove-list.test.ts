// The theorems about the remove list: it beats ages and the newest tags of repositories, and nothing else.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImagePattern } from "../../src/decide/image-pattern.ts";
import { makePlan, type NameVerdict, type Plan } from "../../src/decide/plan.ts";
import { planInputArbitrary, removeListArbitrary } from "../support/node-arbitrary.ts";

describe("the remove list", () => {
  it("removes no name that a use, a pin, a keep pattern or a filter keeps", () => {
    withList((ageless, plan) => {
      const firm = namesOf(ageless, ({ action, reasons }) => action === "keep" && !reasons.some(follows));

      expect(namesOf(plan, isGoing).filter((name) => firm.includes(name))).toEqual([]);
    });
  });

  it("deletes no image that would stay if ages did not count", () => {
    withList((ageless, plan) => {
      const staying = imagesOf(ageless, "keep");

      expect(imagesOf(plan, "delete").filter((image) => staying.includes(image))).toEqual([]);
    });
  });

  it("removes the images that it means, as if ages did not count", () => {
    withList((ageless, plan, remove) => {
      const meant = ageless.images.filter(({ image }) => remove.some((pattern) => pattern.matchesImage(image)));
      // An ID name stays for other images with the same ID, which the list may not mean.
      const due = meant.flatMap(({ image, namespace, names }) =>
        names.filter((name) => isGoing(name) && name.name !== image.id).map(({ name }) => `${namespace} ${name}`),
      );
      const shared = new Set(plan.images.filter(({ reasons }) => reasons.some(keptForTwin)).flatMap(namesIn));

      const gone = new Set(namesOf(plan, isGoing));
      expect(due.filter((name) => !gone.has(name) && !shared.has(name))).toEqual([]);
    });
  });
});

const isGoing = ({ action }: NameVerdict): boolean => action === "untag";
/** Which name stays as the last one, or with others, depends on which others stay. */
const follows = ({ code }: { readonly code: string }): boolean => /^(last-name|companion-|other-names)/.test(code);
const keptForTwin = ({ detail }: { readonly detail: string }): boolean =>
  detail.includes("another image with the same ID");

const namesIn = ({ namespace, names }: Plan["images"][number]): string[] =>
  names.map(({ name }) => `${namespace} ${name}`);

function namesOf(plan: Plan, which: (name: NameVerdict) => boolean): string[] {
  return plan.images.flatMap((image) => namesIn({ ...image, names: image.names.filter(which) }));
}

function imagesOf(plan: Plan, action: "keep" | "delete"): string[] {
  const found = plan.images.filter((verdict) => verdict.action === action);
  return found.map(({ namespace, image }) => `${namespace} ${image.target}`);
}

function withList(check: (ageless: Plan, plan: Plan, remove: readonly ImagePattern[]) => void): void {
  const noAges = { unusedFor: 0, danglingFor: 0, minAge: 0, keepPerRepository: 0 };
  fc.assert(
    fc.property(planInputArbitrary, removeListArbitrary, (input, remove) => {
      const ageless = makePlan({ ...input, policy: { ...input.policy, ...noAges } });
      check(ageless, makePlan({ ...input, policy: { ...input.policy, remove } }), remove);
    }),
    { numRuns: 250 },
  );
}
