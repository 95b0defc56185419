// A node as the API server writes it, for tests.

export interface WireNode {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
  };
}

/** A node with these labels. */
export function wireNode(labels: Readonly<Record<string, string>> = {}, name = "node-1"): WireNode {
  return { metadata: { name, uid: `uid-${name}`, labels } };
}
