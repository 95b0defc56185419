// The check right before a removal: what changed on the node since the plan.
import { describe, expect, it } from "vitest";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { planOn } from "../support/executed-round.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, nameOf, namespaceOf } from "../support/node-builder.ts";
import { inNamespace, one, resultsOf, three, threeImages, two } from "./nodes.ts";

describe("the check right before a removal", () => {
  it("spares an image for which a container was created after the plan", async () => {
    const node = await planOn(threeImages());
    node.runtime.addContainer("k8s.io", { id: "late", imageId: one.id });

    const outcome = await node.run();

    expect(resultsOf(outcome)).toEqual({
      "r.example/one:1": "in-use",
      "r.example/three:1": "removed",
      "r.example/two:1": "removed",
    });
    expect(node.names("k8s.io")).toEqual(["r.example/one:1"]);
  });

  it("spares an image for which a container is created while other images are removed", async () => {
    const node = await planOn(threeImages());
    node.runtime.beforeNext("removeName", () => node.runtime.addContainer("k8s.io", { id: "late", imageId: two.id }));

    const outcome = await node.run();

    expect(resultsOf(outcome)["r.example/two:1"]).toBe("in-use");
    expect(node.names("k8s.io")).toEqual(["r.example/two:1"]);
  });

  it("hears of a new container through events although its list of containers still counts as fresh", async () => {
    const node = await planOn(threeImages());
    const seen: string[] = [];

    const outcome = await node.run({
      freshFor: 60_000,
      onName: ({ name }) => {
        seen.push(name);
        if (seen.length === 1) node.runtime.addContainer("k8s.io", { id: "late", imageId: two.id });
      },
    });

    expect(resultsOf(outcome)["r.example/two:1"]).toBe("in-use");
  });

  it("reads the containers once for all removals that begin while the list is fresh", async () => {
    const node = await planOn(threeImages());

    await node.run({ freshFor: 60_000 });

    expect(node.runtime.callCount("containers")).toBe(1);
  });

  it("reads them again when the clock was set back meanwhile, also where no events tell of containers", async () => {
    const node = await planOn(threeImages());
    node.runtime.failNext("events", new RuntimeError("unsupported", "events", "none here"));
    const clock = createFakeClock();
    let removed = 0;

    const outcome = await node.run({
      clock,
      freshFor: 200,
      onName: () => {
        removed += 1;
        if (removed !== 2) return;
        clock.advance(60_000);
        clock.advance(-3_600_000);
        node.runtime.addContainer("k8s.io", { id: "late", imageId: two.id });
      },
    });

    expect(resultsOf(outcome)["r.example/two:1"]).toBe("in-use");
  });

  it("spares what a pod asks for that was bound after the plan", async () => {
    const node = await planOn(threeImages({ pods: [] }));
    node.pods.know([podOf("late", ["r.example/two:1"], { phase: "Pending" })]);

    const outcome = await node.run();

    expect(resultsOf(outcome)["r.example/two:1"]).toBe("in-use");
    expect(outcome.names.find(({ name }) => name === "r.example/two:1")?.result).toMatchObject({
      message: expect.stringContaining("pod default/late"),
    });
  });

  it("skips the rest when the pods stop being known in the middle", async () => {
    const node = await planOn(threeImages({ pods: [] }));
    const unsynced = { kind: "unsynced", reason: "the API server was not heard from" } as const;
    node.runtime.beforeNext("removeName", () => node.pods.set(unsynced));

    const outcome = await node.run();

    expect(Object.values(resultsOf(outcome))).toEqual(["removed", "skipped", "skipped"]);
    expect(outcome.names.at(-1)?.result).toMatchObject({ message: unsynced.reason });
  });

  it("leaves a name alone that points to another image by now", async () => {
    const node = await planOn(threeImages());
    node.runtime.tag("k8s.io", "r.example/one:1", three.target);

    const outcome = await node.run();

    expect(resultsOf(outcome)["r.example/one:1"]).toBe("moved");
    expect(outcome.deleted.map(({ target }) => target)).not.toContain(one.target);
    expect(node.names("k8s.io")).toEqual(["r.example/one:1"]);
  });

  it("counts a name that somebody else removed as gone", async () => {
    const node = await planOn(threeImages());
    await node.runtime.removeName("k8s.io", "r.example/one:1", one.target);

    const outcome = await node.run();

    expect(resultsOf(outcome)["r.example/one:1"]).toBe("already-gone");
    expect(outcome.deleted).toHaveLength(3);
    expect(outcome.reclaimedBytes).toBe(node.plan.plannedBytes);
  });

  it("keeps the last name that is left when a container comes after the others were removed", async () => {
    const node = await planOn(
      inNamespace("default", [nameOf(`a@${one.target}`, one.target), nameOf("z:1", one.target)]),
    );
    const first = node.plan.images[0]?.names[0]?.name;

    const outcome = await node.run({
      onName: ({ result }) => {
        if (result.kind === "removed") node.runtime.addContainer("default", { id: "late", imageId: one.target });
      },
    });

    expect(first).toBe("z:1");
    expect(Object.values(resultsOf(outcome))).toEqual(["removed", "in-use"]);
    expect(node.names("default")).toEqual([`a@${one.target}`]);
  });

  it("keeps a spare name when the name that was to stay has moved away meanwhile", async () => {
    const state = inNamespace("default", [
      nameOf("a:1", one.target),
      nameOf("b:1", one.target),
      nameOf("c:1", two.target),
    ]);
    const used = { ...state.namespaces[0], containers: [containerOf("c", { imageId: one.target })] };
    const node = await planOn({ ...state, namespaces: [{ ...namespaceOf("default"), ...used }] });
    node.runtime.tag("default", "b:1", two.target);

    const outcome = await node.run();

    expect(resultsOf(outcome)["a:1"]).toBe("in-use");
    expect(node.names("default")).toContain("a:1");
  });
});
