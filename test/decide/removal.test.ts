// Removing a name or an image: the recorded table, and what the table does not reach.
import { describe, expect, it } from "vitest";
import { applyRemoval, planRemoval } from "../../src/decide/removal.ts";
import type { RemovalPlan, RemovalRecord, RemovalRequest, RemovalUse } from "../../src/decide/removal-types.ts";
import type { Digest } from "../../src/image/digest.ts";
import { digestOf } from "../support/digest-of.ts";
import { removalVectors } from "../support/vectors/removal-vectors.ts";

const a = digestOf("a1");
const b = digestOf("b2");
const c = digestOf("c3");
const hub = "docker.io/library/";

describe("the recorded table of removals", () => {
  it.each(removalVectors())("$id $title", ({ request, expected }) => {
    const plan = planRemoval(request);

    expect(outcomeOf(request, plan)).toEqual(expected);
  });
});

describe("what a reference means", () => {
  it.each(["", " ", "\t\n"])("refuses the blank reference %j", (ref) => {
    expect(planRemoval(request({ ref }))).toMatchObject({ status: 400, message: "image name cannot be blank" });
  });

  it("refuses a complete ID of another algorithm, which no record can have as its target here", () => {
    const plan = planRemoval(request({ ref: `sha512:${"ab".repeat(64)}` }));

    expect(plan).toMatchObject({ status: 400, message: "invalid name reference" });
  });

  it("names the candidates of an ambiguous reference", () => {
    const records = [name("a1a1", b), name("busybox", a), name("unrelated", c)];

    const plan = planRemoval(request({ records, ref: "a1a1" }));

    expect(plan).toMatchObject({
      status: 404,
      message: "ambiguous reference",
      candidates: [`${hub}a1a1:latest`, `${hub}busybox:latest`],
    });
  });

  it.each(["a1a", "sha256:a1a", "a", "<none>"])("never takes %s for the beginning of an ID", (ref) => {
    const records = [name("busybox", a)];

    const plan = planRemoval(request({ records, ref, force: true }));

    expect(plan.kind).toBe("refused");
    expect(applyRemoval(records, plan)).toEqual(records);
  });

  it("takes a name's own target when the digest that was given with it is another one", () => {
    const records = [{ name: `${hub}r:1@${b}`, target: a }, name("other", b)];

    const plan = planRemoval(request({ records, ref: `r:1@${b}` }));

    expect(report(plan)).toEqual([{ untagged: `r:1@${b}` }, { deleted: a }]);
  });

  it("takes the first twelve digits of a digest as an ID even when a record bears the short ID as its name", () => {
    const records = [name("a1a1a1a1a1a1", a), name("busybox", a)];

    const plan = planRemoval(request({ records, ref: "a1a1a1a1a1a1" }));

    expect(plan).toMatchObject({ status: 409, conflict: { kind: "several-names", forcible: true } });
  });

  it("reaches a dangling record by its own name", () => {
    const records = [dangling(a)];

    expect(report(planRemoval(request({ records, ref: `moby-dangling@${a}` })))).toEqual([{ deleted: a }]);
  });

  it("does not find a record that is not in full form by the name it seems to have", () => {
    const records = [{ name: "busybox:latest", target: a }];

    expect(planRemoval(request({ records, ref: "busybox" }))).toMatchObject({ status: 404 });
    expect(report(planRemoval(request({ records, ref: a })))).toEqual([{ untagged: "busybox:latest" }, { deleted: a }]);
  });
});

describe("records that share an image", () => {
  it("removes the ID name that CRI keeps without touching the tags", () => {
    const records = criRecords(a, c);

    const plan = planRemoval(request({ records, ref: c.slice("sha256:".length) }));

    expect(plan.steps).toEqual([{ kind: "untag", name: c, target: a, reports: [{ untagged: c }] }]);
  });

  it("removes both tags of a repository that is given with a digest, and no other repository", () => {
    const records = [name("r", a, "1"), name("r", a, "2"), name("q", a, "1")];

    expect(report(planRemoval(request({ records, ref: `r@${a}` })))).toEqual([
      { untagged: "r:1" },
      { untagged: "r:2" },
    ]);
  });

  it("untags a record whose name is no reference along with a name, without a report", () => {
    const records = [{ name: "has blank", target: a }, name("x", a, "1"), name("y", a, "1")];

    const plan = planRemoval(request({ records, ref: "x:1" }));

    expect(report(plan)).toEqual([{ untagged: "x:1" }]);
    expect(plan.steps.map((step) => step.name)).toEqual([`${hub}x:1`, "has blank"]);
  });

  it("says which container and pod stand in the way", () => {
    const containers = [use({ target: a, running: true, pod: "kube-system/dns" })];

    const plan = planRemoval(request({ records: [name("x", a)], containers, ref: a, force: true }));

    expect(plan).toMatchObject({
      status: 409,
      conflict: { kind: "running-container", forcible: false, container: "e0".repeat(32), pod: "kube-system/dns" },
    });
  });

  it("names the running container before a stopped one", () => {
    const containers = [
      use({ id: "5".repeat(64), target: a, running: false }),
      use({ id: "7".repeat(64), target: a, running: true }),
    ];

    const plan = planRemoval(request({ records: [name("x", a)], containers, ref: a }));

    expect(plan).toMatchObject({ message: expect.stringContaining("running container 777777777777") });
  });
});

describe("parents", () => {
  const child = { ...name("child", a, "1"), parent: b };

  it("keeps parents when asked to", () => {
    const records = [child, dangling(b)];

    expect(report(planRemoval(request({ records, ref: "child:1", noPrune: true })))).toEqual([
      { untagged: "child:1" },
      { deleted: a },
    ]);
  });

  it("reads the parent from the record's label", () => {
    const labels = { "org.mobyproject.image.parent": b };
    const records = [{ ...name("child", a, "1"), labels }, dangling(b)];

    expect(report(planRemoval(request({ records, ref: "child:1" })))).toContainEqual({ deleted: b });
  });

  it.each([
    ["a parent is missing", { ...dangling(b), parent: c }],
    ["they go in a circle", { ...dangling(b), parent: a }],
    ["a label is no digest", { ...dangling(b), labels: { "org.mobyproject.image.parent": "latest" } }],
  ])("stay when %s", (_why, parent) => {
    const records = [child, parent];

    expect(report(planRemoval(request({ records, ref: "child:1" })))).toEqual([
      { untagged: "child:1" },
      { deleted: a },
    ]);
  });

  it("leave no dangling record behind when removed by ID or with force", () => {
    const records = [child, name("base", b, "1")];

    const byId = planRemoval(request({ records, ref: b }));
    const forced = planRemoval(request({ records, ref: "base:1", force: true }));

    expect(applyRemoval(records, byId)).toEqual([child]);
    expect(applyRemoval(records, forced)).toEqual([child]);
  });
});

describe("dangling records", () => {
  it("take over every label but those that repeat the name", () => {
    const labels = { "io.containerd.image.name": `${hub}x:1`, "org.opencontainers.image.ref.name": "1", kept: "yes" };
    const records = [{ ...name("x", a, "1"), labels }];
    const containers = [use({ target: a, running: true })];

    const plan = planRemoval(request({ records, containers, ref: "x:1", force: true }));

    expect(applyRemoval(records, plan)).toEqual([{ ...dangling(a), labels: { kept: "yes" } }]);
  });
});

describe("safe mode", () => {
  const mounted = [use({ target: c, running: true, imageMountOf: a })];

  it("keeps a mounted image that is removed by ID, which the reference behaviour deletes", () => {
    const records = [name("x", a)];
    const base = request({ records, containers: mounted, ref: a });

    expect(report(planRemoval(base))).toEqual([{ untagged: "x:latest" }, { deleted: a }]);
    expect(planRemoval({ ...base, safe: true })).toMatchObject({
      status: 409,
      conflict: { kind: "running-container" },
    });
    expect(planRemoval({ ...base, safe: true, force: true }).kind).toBe("refused");
  });

  it("keeps a dangling parent that is mounted", () => {
    const records = [{ ...name("child", b, "1"), parent: a }, dangling(a)];
    const base = request({ records, containers: mounted, ref: "child:1" });

    expect(report(planRemoval(base))).toContainEqual({ deleted: a });
    expect(report(planRemoval({ ...base, safe: true }))).not.toContainEqual({ deleted: a });
  });

  it("removes nothing when a record cannot be shown, where the reference behaviour stops half way", () => {
    const records = [name("x", a, "1"), { name: "has blank", target: a }];
    const base = request({ records, ref: a, force: true });

    const reference = planRemoval(base);
    const safe = planRemoval({ ...base, safe: true });

    expect(reference).toMatchObject({
      status: 500,
      message: "invalid reference format",
      events: [`untag id=${a} name=x:1`],
    });
    expect(applyRemoval(records, reference)).toEqual([{ name: "has blank", target: a }]);
    expect(safe).toMatchObject({ status: 500, steps: [], events: [] });
  });
});

function outcomeOf({ records }: RemovalRequest, plan: RemovalPlan) {
  return {
    status: plan.kind === "removal" ? 200 : plan.status,
    error: plan.kind === "removal" ? null : plan.message,
    result: report(plan) ?? [],
    events: plan.events,
    survivors: applyRemoval(records, plan).map((record) => record.name),
  };
}

function report(plan: RemovalPlan) {
  return plan.kind === "removal" ? plan.report : undefined;
}

function request(parts: Partial<RemovalRequest>): RemovalRequest {
  return { records: [], containers: [], ref: "", force: false, noPrune: false, ...parts };
}

function name(repository: string, target: Digest, tag = "latest"): RemovalRecord {
  return { name: `${hub}${repository}:${tag}`, target };
}

function dangling(target: Digest): RemovalRecord {
  return { name: `moby-dangling@${target}`, target };
}

function criRecords(target: Digest, config: Digest): readonly RemovalRecord[] {
  const repository = "registry.example/app";
  return [`${repository}:v1`, `${repository}@${target}`, config].map((text) => ({ name: text, target }));
}

function use(parts: Partial<RemovalUse>): RemovalUse {
  return { id: "e0".repeat(32), running: false, ...parts };
}
