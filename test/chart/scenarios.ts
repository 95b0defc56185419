// Values by which the chart is checked as a whole: the defaults, every preset, everything switched on, and what people do.
import type { Values } from "./helm.ts";

const everything: Values = {
  image: { repository: "registry.example/prunelet", digest: `sha256:${"a".repeat(64)}`, pullPolicy: "Always" },
  imagePullSecrets: [{ name: "regcred" }],
  commonLabels: { team: "platform" },
  runtime: { preset: "k3s", mountDataFolder: true },
  config: {
    interval: "5m",
    policy: { unusedFor: "12h", keep: ["registry.example/base/**"] },
    http: { listen: "[::]:9100" },
    nodePools: [{ name: "ci", match: { "node-role.example/ci": "true" }, policy: { unusedFor: "1h" } }],
  },
  restartOnConfigChange: true,
  extraEnv: [{ name: "TZ", value: "Europe/Berlin" }],
  extraArgs: ["--log-level", "debug"],
  serviceAccount: { annotations: { "example.org/owner": "platform" } },
  podLabels: { tier: "node" },
  podAnnotations: { "example.org/scrape": "yes" },
  priorityQuota: true,
  nodeSelector: { pool: "workers" },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "kind", operator: "NotIn", values: ["virtual"] }] }],
      },
    },
  },
  service: { annotations: { "prometheus.io/scrape": "true" } },
  serviceMonitor: {
    enabled: true,
    interval: "30s",
    scrapeTimeout: "10s",
    labels: { release: "prometheus" },
    relabelings: [{ action: "labeldrop", regex: "pod" }],
    metricRelabelings: [{ action: "drop", sourceLabels: ["__name__"], regex: "nodejs_.*" }],
  },
  prometheusRule: { enabled: true, labels: { release: "prometheus" } },
  dashboards: { enabled: true, annotations: { grafana_folder: "Nodes" } },
  networkPolicy: {
    enabled: true,
    metricsFrom: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }],
    apiServerTo: [{ ipBlock: { cidr: "10.0.0.1/32" } }],
  },
  verticalPodAutoscaler: { enabled: true, updateMode: "Recreate" },
};

/** By name. */
export const scenarios: Readonly<Record<string, Values>> = {
  defaults: {},
  everything,
  k3s: { runtime: { preset: "k3s" } },
  rke2: { runtime: { preset: "rke2" } },
  microk8s: { runtime: { preset: "microk8s" } },
  k0s: { runtime: { preset: "k0s" } },
  crio: { runtime: { preset: "crio" } },
  docker: { runtime: { preset: "docker" } },
  "custom socket": { runtime: { preset: "custom", socket: "/opt/run/containerd.sock" } },
  "pod monitor without a service": { service: { enabled: false }, podMonitor: { enabled: true, interval: "1m" } },
  "network policy that lets everybody in": { networkPolicy: { enabled: true } },
  "everything optional off": {
    serviceAccount: { create: false, name: "given" },
    rbac: { create: false },
    service: { enabled: false },
    priorityClassName: "",
    tolerations: [],
    resources: {},
  },
  "nodes updated by hand": { updateStrategy: { type: "OnDelete" } },
  "a fixed number of nodes at a time": { updateStrategy: { maxUnavailable: 3 } },
};
