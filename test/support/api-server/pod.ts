// Pods as the API server writes them, for tests.

/** The part of a v1 Pod that tests set; anything else may be added. */
export interface WirePod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion?: string;
  };
  readonly spec: { readonly nodeName: string; readonly [field: string]: unknown };
  readonly status: { readonly phase: string; readonly [field: string]: unknown };
}

export interface PodSketch {
  readonly namespace?: string;
  /** Default: made of namespace and name. */
  readonly uid?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly images?: readonly string[];
  /** More fields of the spec and of the status. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** A running pod on `node-1` with one container per image. */
export function wirePod(name: string, sketch: PodSketch = {}): WirePod {
  const namespace = sketch.namespace ?? "default";
  const containers = (sketch.images ?? ["registry.example/app:1"]).map((image, index) => ({
    name: `c${index}`,
    image,
  }));
  return {
    metadata: { name, namespace, uid: sketch.uid ?? `uid-${namespace}-${name}` },
    spec: { nodeName: sketch.node ?? "node-1", containers, ...sketch.spec },
    status: { phase: sketch.phase ?? "Running", ...sketch.status },
  };
}
