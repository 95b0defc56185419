// How Prometheus and Grafana come to know the agents.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { at, chartFolder, describeHelm, render } from "./helm.ts";
import { scenarios } from "./scenarios.ts";

describeHelm("monitoring", ["helm3"], () => {
  test("asks nothing of a cluster without the operators, but the agents can be found", async () => {
    const rendered = await render();

    expect(rendered.kinds()).toEqual(
      ["ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet", "Service", "ServiceAccount"].sort(),
    );
    expect(at(rendered.one("Service"), "spec")).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
  });

  test("follows the port of the agent's configuration everywhere", async () => {
    const rendered = await render({ config: { http: { listen: "[::]:9100" } } });

    expect(at(rendered.container(), "ports", 0, "containerPort")).toBe(9100);
    expect(at(rendered.one("Service"), "spec", "ports", 0)).toMatchObject({ port: 9100, targetPort: "metrics" });
  });

  test.each(["ServiceMonitor", "PodMonitor"] as const)(
    "gives every series the node it comes from: %s",
    async (kind) => {
      const own = {
        enabled: true,
        labels: { release: "prom" },
        interval: "45s",
        relabelings: [{ action: "labeldrop" }],
      };
      const values = kind === "PodMonitor" ? { podMonitor: own, service: { enabled: false } } : { serviceMonitor: own };
      const rendered = await render(values);

      const monitor = rendered.one(kind);
      const endpoint = at(monitor, "spec", kind === "PodMonitor" ? "podMetricsEndpoints" : "endpoints", 0);
      expect(endpoint).toMatchObject({ port: "metrics", path: "/metrics", interval: "45s" });
      expect(at(endpoint, "relabelings")).toEqual([
        { action: "replace", sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" },
        { action: "labeldrop" },
      ]);
      expect(monitor.metadata["labels"]).toMatchObject({ release: "prom" });
      const pods = kind === "PodMonitor" ? at(rendered.one("DaemonSet"), "spec", "template") : rendered.one("Service");
      expect(at(pods, "metadata", "labels")).toMatchObject(at(monitor, "spec", "selector", "matchLabels") as object);
    },
  );

  test("brings the rules as they are in the chart's file", async () => {
    const rendered = await render(scenarios["everything"]);

    const file = parse(readFileSync(join(chartFolder, "files/rules.yaml"), "utf8"));
    expect(rendered.one("PrometheusRule")["spec"]).toEqual(file);
  });

  test("brings every dashboard as it is in the chart's folder", async () => {
    const rendered = await render(scenarios["everything"]);

    const data = at(rendered.one("ConfigMap", "-dashboards"), "data") as Record<string, string>;
    const files = globSync(join(chartFolder, "files/dashboards/*.json"));
    expect(Object.keys(data).sort()).toEqual(files.map((file) => basename(file)).sort());
    for (const file of files)
      expect(JSON.parse(data[basename(file)] ?? "")).toEqual(JSON.parse(readFileSync(file, "utf8")));
    expect(rendered.one("ConfigMap", "-dashboards").metadata["labels"]).toMatchObject({ grafana_dashboard: "1" });
  });

  test("fits into the 1 MiB of a ConfigMap", async () => {
    const rendered = await render(scenarios["everything"]);

    expect(JSON.stringify(rendered.one("ConfigMap", "-dashboards")).length).toBeLessThan(900_000);
  });

  test("closes everything but metrics, the API server and names to the network", async () => {
    const rendered = await render(scenarios["everything"]);

    expect(at(rendered.one("NetworkPolicy"), "spec")).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { ports: [{ port: "metrics" }], from: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }] },
      ],
      egress: [
        { ports: [{ port: 443 }, { port: 6443 }], to: [{ ipBlock: { cidr: "10.0.0.1/32" } }] },
        {
          ports: [
            { port: 53, protocol: "UDP" },
            { port: 53, protocol: "TCP" },
          ],
        },
      ],
    });
  });
});
