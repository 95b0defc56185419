// Where the agents run, how they are replaced, and when one counts as well.
import { expect, test } from "vitest";
import { at, describeHelm, render, type Values } from "./helm.ts";
import { scenarios } from "./scenarios.ts";

describeHelm("scheduling", ["helm3"], () => {
  test("puts an agent on every Linux node, whatever its taints, and lets it be evicted last", async () => {
    const rendered = await render();

    expect(rendered.pod()).toMatchObject({
      tolerations: [{ operator: "Exists" }],
      priorityClassName: "system-node-critical",
      nodeSelector: { "kubernetes.io/os": "linux" },
    });
    expect(rendered.kinds()).not.toContain("ResourceQuota");
  });

  test("narrows to chosen nodes, and still to Linux ones", async () => {
    const rendered = await render({ nodeSelector: { "kubernetes.io/os": "windows", pool: "gpu" }, tolerations: [] });

    expect(at(rendered.pod(), "nodeSelector")).toEqual({ "kubernetes.io/os": "linux", pool: "gpu" });
    expect(at(rendered.pod(), "tolerations")).toBeUndefined();
  });

  test("makes room for critical pods where a namespace needs a quota for them", async () => {
    const rendered = await render(scenarios["everything"]);

    const [selector] = at(rendered.one("ResourceQuota"), "spec", "scopeSelector", "matchExpressions") as unknown[];
    expect(selector).toMatchObject({ scopeName: "PriorityClass", values: ["system-node-critical"] });
  });

  test("updates a tenth of the nodes at a time, or as told", async () => {
    const strategy = async (values: Values) => at((await render(values)).one("DaemonSet"), "spec", "updateStrategy");

    expect(await strategy({})).toEqual({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } });
    expect(await strategy({ updateStrategy: { maxUnavailable: 3 } })).toMatchObject({
      rollingUpdate: { maxUnavailable: 3 },
    });
    expect(await strategy({ updateStrategy: { type: "OnDelete" } })).toEqual({ type: "OnDelete" });
  });

  test("probes start and life by health, and readiness by what the agent sees", async () => {
    const container = (await render()).container();

    expect(at(container, "startupProbe", "httpGet")).toEqual({ path: "/healthz", port: "metrics" });
    expect(at(container, "livenessProbe", "httpGet")).toEqual({ path: "/healthz", port: "metrics" });
    expect(at(container, "readinessProbe", "httpGet")).toEqual({ path: "/readyz", port: "metrics" });
    expect(at(container, "startupProbe", "periodSeconds")).toBe(2);
  });

  test("gives the agent longer to end a round than the collection in it may take", async () => {
    const grace = at((await render()).pod(), "terminationGracePeriodSeconds");

    // Ten seconds for the collection of a stopped round, ten for a call that hangs, and some for the state file.
    expect(grace).toBeGreaterThanOrEqual(30);
  });

  test("lets the autoscaler change memory only, for these pods", async () => {
    const rendered = await render(scenarios["everything"]);

    const scaler = rendered.one("VerticalPodAutoscaler");
    expect(at(scaler, "spec", "targetRef", "name")).toBe(rendered.one("DaemonSet").metadata.name);
    expect(at(scaler, "spec", "resourcePolicy", "containerPolicies", 0)).toMatchObject({
      containerName: "prunelet",
      controlledResources: ["memory"],
    });
  });
});
