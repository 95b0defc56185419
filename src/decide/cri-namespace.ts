// The namespaces whose names CRI manages: there the rules of Kubernetes hold (design: Identity).

/** `k8s.io`: where containerd's CRI plugin keeps its images. `cri`: everything that a runtime tells through CRI alone. */
export function isCriNamespace(name: string): boolean {
  return name === "k8s.io" || name === "cri";
}
