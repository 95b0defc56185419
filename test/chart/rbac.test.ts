// What the agent may do at the API server: exactly what it does, and nothing that changes a workload.
import { expect, test } from "vitest";
import { at, describeHelm, render } from "./helm.ts";
import { scenarios } from "./scenarios.ts";

describeHelm("rbac", ["helm3"], () => {
  test("grants pods to read, nodes to get and watch, events to write, and nothing else", async () => {
    const rendered = await render(scenarios["everything"]);

    expect(at(rendered.one("ClusterRole"), "rules")).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "watch"] },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
    ]);
    expect(rendered.kinds().filter((kind) => kind.includes("Role"))).toEqual(["ClusterRole", "ClusterRoleBinding"]);
  });

  test("binds the role to the service account that the pods use, and to nobody else", async () => {
    const rendered = await render({ serviceAccount: { name: "sweeper" } }, { namespace: "ops" });

    const binding = rendered.one("ClusterRoleBinding");
    expect(at(binding, "subjects")).toEqual([{ kind: "ServiceAccount", name: "sweeper", namespace: "ops" }]);
    expect(at(binding, "roleRef", "name")).toBe(rendered.one("ClusterRole").metadata.name);
    expect(rendered.one("ServiceAccount").metadata.name).toBe("sweeper");
    expect(at(rendered.pod(), "serviceAccountName")).toBe("sweeper");
  });

  test("hands the token to these pods only, not to every pod that names the account", async () => {
    const rendered = await render();

    expect(at(rendered.one("ServiceAccount"), "automountServiceAccountToken")).toBe(false);
    expect(at(rendered.pod(), "automountServiceAccountToken")).toBe(true);
  });

  test("uses a given account and creates nothing when told so", async () => {
    const rendered = await render(scenarios["everything optional off"]);

    expect(rendered.kinds()).toEqual(["ConfigMap", "DaemonSet"]);
    expect(at(rendered.pod(), "serviceAccountName")).toBe("given");
  });
});
