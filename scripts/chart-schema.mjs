// What the chart's values may be, as JSON Schema (draft 7, which every Helm understands). The part below `config` comes from the
// agent's own schema: see generate-chart.mjs.

const text = { type: "string" };
const flag = { type: "boolean" };
const map = { type: "object" };
const texts = { type: "object", additionalProperties: text };
const list = (items) => ({ type: "array", items });
const count = (minimum) => ({ type: "integer", minimum });
const choice = (...values) => ({ type: "string", enum: values });
const shaped = (pattern, description) => ({ type: "string", pattern, description });
const object = (properties) => ({ type: "object", additionalProperties: false, properties });

const absolutePath = shaped("^/[^:]+$", "An absolute path");
const pathOrNothing = shaped("^(/[^:]+)?$", "An absolute path, or empty");
const time = shaped("^([0-9]+(ms|s|m|h|d))*$", "A duration such as 30s, or empty");
const digest = shaped("^(sha256:[0-9a-f]{64})?$", "sha256: and 64 hexadecimal digits, or empty");
const numberOrShare = {
  oneOf: [count(1), shaped("^([1-9][0-9]?|100)%$", "A share such as 10%")],
  description: "A number, or a share such as 10%",
};

const probe = object({ periodSeconds: count(1), timeoutSeconds: count(1), failureThreshold: count(1) });

const monitor = object({
  enabled: flag,
  interval: time,
  scrapeTimeout: time,
  labels: texts,
  relabelings: list(map),
  metricRelabelings: list(map),
});

/** The schema of values.yaml; `config` is the schema of the agent's configuration. */
export function chartSchema(config) {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the prunelet chart",
    ...object({
      global: map,
      image: object({
        repository: { ...text, minLength: 1 },
        tag: text,
        digest,
        pullPolicy: choice("Always", "IfNotPresent", "Never"),
      }),
      imagePullSecrets: list(map),
      nameOverride: text,
      fullnameOverride: text,
      commonLabels: texts,
      runtime: object({
        preset: choice("containerd", "k3s", "rke2", "microk8s", "k0s", "crio", "docker", "custom"),
        kind: choice("containerd", "cri", "docker"),
        socket: pathOrNothing,
        mountPropagation: choice("HostToContainer", "None"),
        mountDataFolder: flag,
        dataFolder: pathOrNothing,
      }),
      config,
      restartOnConfigChange: flag,
      state: object({ hostPath: absolutePath }),
      extraEnv: list(map),
      extraArgs: list(text),
      serviceAccount: object({ create: flag, name: text, annotations: texts }),
      rbac: object({ create: flag }),
      seLinuxOptions: object({ level: text, role: text, type: text, user: text }),
      podLabels: texts,
      podAnnotations: texts,
      priorityClassName: text,
      priorityQuota: flag,
      nodeSelector: texts,
      affinity: map,
      tolerations: list(map),
      dnsPolicy: choice("Default", "ClusterFirst", "None"),
      updateStrategy: object({ type: choice("RollingUpdate", "OnDelete"), maxUnavailable: numberOrShare }),
      minReadySeconds: count(0),
      revisionHistoryLimit: count(0),
      terminationGracePeriodSeconds: count(1),
      resources: object({ requests: map, limits: map, claims: list(map) }),
      probes: object({ startup: probe, liveness: probe, readiness: probe }),
      service: object({ enabled: flag, annotations: texts }),
      serviceMonitor: monitor,
      podMonitor: monitor,
      prometheusRule: object({ enabled: flag, labels: texts }),
      dashboards: object({ enabled: flag, labels: texts, annotations: texts }),
      networkPolicy: object({
        enabled: flag,
        metricsFrom: list(map),
        apiServerTo: list(map),
        apiServerPorts: { ...list({ type: "integer", minimum: 1, maximum: 65535 }), minItems: 1 },
      }),
      verticalPodAutoscaler: object({
        enabled: flag,
        updateMode: choice("Off", "Initial", "Recreate", "InPlaceOrRecreate"),
        minAllowed: map,
        maxAllowed: map,
      }),
    }),
  };
}
