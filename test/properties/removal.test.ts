// What holds for every removal that a person may ask for.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRemoval, planRemoval } from "../../src/decide/removal.ts";
import type { RemovalPlan, RemovalRecord, RemovalRequest, RemovalUse } from "../../src/decide/removal-types.ts";
import type { Digest } from "../../src/image/digest.ts";
import { danglingName } from "../../src/image/image-id.ts";
import { digestOf } from "../support/digest-of.ts";

const targets = ["a1", "a2", "b2", "c3"].map(digestOf);
const target = fc.constantFrom(...targets);
const repository = fc.constantFrom(
  "docker.io/library/r",
  "docker.io/library/a1a1",
  "docker.io/library/a",
  "q.example/x/y",
);
const recordName = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(repository, fc.constantFrom(":latest", ":1", ":2")).map((parts) => parts.join("")) },
  { weight: 3, arbitrary: fc.tuple(repository, target).map(([place, digest]) => `${place}@${digest}`) },
  { weight: 2, arbitrary: fc.tuple(repository, target).map(([place, digest]) => `${place}:1@${digest}`) },
  { weight: 2, arbitrary: target.map(danglingName) },
  { weight: 2, arbitrary: target },
  { weight: 1, arbitrary: fc.constantFrom("busybox:latest", "has blank", "import-2026@sha256:ff", "x".repeat(64)) },
);
const record: fc.Arbitrary<RemovalRecord> = fc
  .record({ name: recordName, target, parent: target }, { requiredKeys: ["name", "target"] })
  .map((entry) => ({ ...entry, target: danglingTargetOf(entry.name) ?? entry.target }));

/** A dangling record is made for its own digest and nobody moves it: where it stood for another, none could be made for this one. */
function danglingTargetOf(name: string): Digest | undefined {
  return targets.find((digest) => name === danglingName(digest));
}
const records = fc.uniqueArray(record, { selector: (entry) => entry.name, maxLength: 8 });
const use: fc.Arbitrary<RemovalUse> = fc.record(
  { id: fc.constantFrom("e0".repeat(32), "f1".repeat(32)), running: fc.boolean(), target, imageMountOf: target },
  { requiredKeys: ["id", "running", "target"] },
);
const ref = fc.oneof(
  recordName,
  fc.constantFrom("r", "r:1", "a1a1", "a", "a1a", "y", "", "s", "sha256:", "sha256:a1", "sha256:a1a1", "q.example/x/y"),
  target.map((digest) => digest.slice("sha256:".length)),
  fc.tuple(target, fc.integer({ min: 0, max: 71 })).map(([digest, length]) => digest.slice(0, length)),
  target.map((digest) => `r@${digest}`),
);
const request: fc.Arbitrary<RemovalRequest> = fc.record({
  records,
  containers: fc.array(use, { maxLength: 3 }),
  ref,
  force: fc.boolean(),
  noPrune: fc.boolean(),
  safe: fc.boolean(),
});

describe("a removal", () => {
  it("changes only records of one image, and dangling records of its ancestors", () => {
    holds((asked, plan) => {
      const [first] = plan.steps;
      const kin = first === undefined ? new Set<Digest>() : ancestors(asked.records, first.target);
      for (const step of plan.steps) {
        if (step.target === first?.target) continue;
        expect(kin).toContain(step.target);
        expect(step.name).toBe(danglingName(step.target));
        expect(asked.noPrune).toBe(false);
      }
    });
  });

  it("names records as they are, with the target that they have", () => {
    holds((asked, plan) => {
      for (const step of plan.steps) {
        const stored = asked.records.find((entry) => entry.name === step.name);
        if (step.kind === "create-dangling") expect(step.name).toBe(danglingName(step.target));
        else expect(stored?.target).toBe(step.target);
      }
    });
  });

  it("never takes the last name of an image with a running container, not even with force", () => {
    holds((asked, plan) => {
      const running = asked.containers.filter((entry) => entry.running).map((entry) => entry.target);
      expect(lostTargets(asked, plan).filter(isOneOf(running))).toEqual([]);
    });
  });

  it("never takes the last name of an image with any container when it is not forced", () => {
    holds((asked, plan) => {
      fc.pre(!asked.force);
      const used = asked.containers.map((entry) => entry.target);
      expect(lostTargets(asked, plan).filter(isOneOf(used))).toEqual([]);
    });
  });

  it("never takes the last name of a mounted image in safe mode when it is not forced", () => {
    holds((asked, plan) => {
      fc.pre(asked.safe === true && !asked.force);
      const mounted = asked.containers.map((entry) => entry.imageMountOf);
      expect(lostTargets(asked, plan).filter(isOneOf(mounted))).toEqual([]);
    });
  });

  it("is the same whatever the order of the records", () => {
    holds((asked, plan) => {
      expect(planRemoval({ ...asked, records: asked.records.toReversed() })).toEqual(plan);
      expect(planRemoval(structuredClone(asked))).toEqual(plan);
    });
  });

  it("changes nothing when it is refused in safe mode", () => {
    holds((asked, plan) => {
      fc.pre(asked.safe === true && plan.kind === "refused");
      expect(applyRemoval(asked.records, plan)).toHaveLength(asked.records.length);
    });
  });

  it("reports a deleted image only when the image had no name left at that moment, or a dangling one", () => {
    holds((asked, plan) => {
      fc.pre(plan.kind === "removal");
      const deleted = plan.steps.flatMap((step) =>
        step.reports.flatMap((entry) => ("deleted" in entry ? [step.target] : [])),
      );
      const own = plan.steps.at(0)?.target;
      const left = applyRemoval(asked.records, plan).filter((entry) => entry.target === own && deleted.includes(own));
      expect(left.map((entry) => entry.name)).toEqual(left.map((entry) => danglingName(entry.target)));
    });
  });
});

function holds(check: (asked: RemovalRequest, plan: RemovalPlan) => void): void {
  fc.assert(
    fc.property(request, (asked) => check(asked, planRemoval(asked))),
    { numRuns: 2_000, maxSkipsPerRun: 1_000 },
  );
}

function lostTargets({ records: before }: RemovalRequest, plan: RemovalPlan): readonly Digest[] {
  const left = new Set(applyRemoval(before, plan).map((entry) => entry.target));
  return [...new Set(before.map((entry) => entry.target))].filter((digest) => !left.has(digest));
}

function isOneOf(digests: readonly (Digest | undefined)[]): (digest: Digest) => boolean {
  return (digest) => digests.includes(digest);
}

function ancestors(all: readonly RemovalRecord[], start: Digest): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const waiting: Digest[] = [start];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const parents = all.flatMap((entry) => (entry.target === next && entry.parent !== undefined ? [entry.parent] : []));
    waiting.push(...parents.filter((parent) => !found.has(parent)));
    for (const parent of parents) found.add(parent);
  }
  return found;
}
