{{/* Names, labels and what the runtime presets mean. */}}

{{- define "prunelet.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "prunelet.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "prunelet.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "prunelet.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "prunelet.selectorLabels" -}}
app.kubernetes.io/name: {{ include "prunelet.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "prunelet.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "prunelet.selectorLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "prunelet.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "prunelet.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "prunelet.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Kind, socket and data folder of each preset. */}}
{{- define "prunelet.presets" -}}
containerd: {kind: containerd, socket: /run/containerd/containerd.sock, data: /var/lib/containerd}
k3s: {kind: containerd, socket: /run/k3s/containerd/containerd.sock, data: /var/lib/rancher/k3s/agent/containerd}
rke2: {kind: containerd, socket: /run/k3s/containerd/containerd.sock, data: /var/lib/rancher/rke2/agent/containerd}
microk8s: {kind: containerd, socket: /var/snap/microk8s/common/run/containerd.sock, data: /var/snap/microk8s/common/var/lib/containerd}
k0s: {kind: containerd, socket: /run/k0s/containerd.sock, data: /var/lib/k0s/containerd}
crio: {kind: cri, socket: /run/crio/crio.sock, data: /var/lib/containers/storage}
docker: {kind: docker, socket: /run/docker.sock, data: /var/lib/docker}
{{- end }}

{{/* The runtime that was chosen, as JSON: {kind, socket, data, mount, mountType}. */}}
{{- define "prunelet.runtime" -}}
{{- $runtime := .Values.runtime }}
{{- $custom := dict "kind" $runtime.kind "socket" $runtime.socket "data" "" }}
{{- $chosen := $custom }}
{{- if eq $runtime.preset "custom" }}
{{- if not $runtime.socket }}{{ fail "runtime.preset is custom, so runtime.socket must be the absolute path of the socket on the node" }}{{ end }}
{{- else }}
{{- if $runtime.socket }}{{ fail (printf "runtime.socket is for runtime.preset custom only, and the preset is %s: remove one of them" $runtime.preset) }}{{ end }}
{{- $chosen = get (include "prunelet.presets" . | fromYaml) $runtime.preset }}
{{- end }}
{{- if hasKey .Values.config "endpoint" }}
{{- $_ := set $chosen "socket" (trimPrefix "unix://" .Values.config.endpoint) }}
{{- end }}
{{- if hasKey .Values.config "runtime" }}
{{- $_ := set $chosen "kind" .Values.config.runtime }}
{{- end }}
{{- if $runtime.dataFolder }}
{{- $_ := set $chosen "data" $runtime.dataFolder }}
{{- end }}
{{- if and $runtime.mountDataFolder (not $chosen.data) }}{{ fail "runtime.mountDataFolder needs runtime.dataFolder when the preset is custom" }}{{ end }}
{{- /* The daemon makes its socket anew at each start, so the folder is mounted. A folder that belongs to everybody is not:
there the socket itself is, which outlives a restart where systemd holds it, as it does for Docker. */}}
{{- $folder := dir (clean $chosen.socket) }}
{{- $shared := regexMatch "^/(run|tmp|etc|home|root|var|var/run|var/lib|var/tmp)?$" $folder }}
{{- $_ := set $chosen "mount" (ternary (clean $chosen.socket) $folder $shared) }}
{{- $_ := set $chosen "mountType" (ternary "Socket" "DirectoryOrCreate" $shared) }}
{{- $chosen | toJson }}
{{- end }}

{{/* The agent's configuration: what the values say, with the runtime, its socket and the state file. */}}
{{- define "prunelet.config" -}}
{{- $runtime := include "prunelet.runtime" . | fromJson }}
{{- $given := dict "runtime" $runtime.kind "endpoint" (printf "unix://%s" $runtime.socket) "pods" (dict "source" "kubernetes") "stateFile" "/var/lib/prunelet/state.json" }}
{{- $config := mergeOverwrite $given (deepCopy .Values.config) }}
{{- if not (hasPrefix "/var/lib/prunelet/" $config.stateFile) }}{{ fail (printf "config.stateFile is %s: it must be below /var/lib/prunelet, where state.hostPath is mounted" $config.stateFile) }}{{ end }}
{{- $audit := dig "audit" "file" "/var/lib/prunelet/audit.jsonl" $config }}
{{- if and $audit (not (hasPrefix "/var/lib/prunelet/" $audit)) }}{{ fail (printf "config.audit.file is %s: it must be below /var/lib/prunelet, where state.hostPath is mounted, or empty" $audit) }}{{ end }}
{{- toYaml $config }}
{{- end }}

{{/* The port of config.http.listen. */}}
{{- define "prunelet.port" -}}
{{- $config := include "prunelet.config" . | fromYaml }}
{{- $listen := dig "http" "listen" "0.0.0.0:9095" $config }}
{{- regexReplaceAll "^.*:" $listen "" }}
{{- end }}

{{/* One scrape endpoint of a ServiceMonitor or PodMonitor. */}}
{{- define "prunelet.endpoint" -}}
port: metrics
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
relabelings:
  - action: replace
    sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: node
  {{- with .relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
