// Sizes of layer snapshots: asked once per snapshot, because a committed one never changes.

import { mapBounded } from "../bounded.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Scope } from "../wire/calls.ts";
import type { Connection } from "./connection.ts";
import { Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import type { SnapshotNode } from "./inventory.ts";

const asksAtATime = 32;

interface Known {
  readonly createdAt: string;
  /** Bytes. */
  readonly size: number;
}

/** Remembers sizes by namespace and key; a key that was used again has another creation time and is asked again. */
export class SnapshotSizes {
  readonly #connection: Connection;
  readonly #known = new Map<string, Map<string, Known>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Finds out the sizes of `nodes` and forgets all others of the namespace; returns the lookup, in bytes. */
  async measure(
    namespace: string,
    nodes: ReadonlySet<SnapshotNode>,
    scope: Scope,
  ): Promise<(node: SnapshotNode) => number> {
    const before = this.#known.get(namespace);
    const now = new Map<string, Known>();
    const unknown: SnapshotNode[] = [];
    for (const node of nodes) {
      const known = before?.get(node.key);
      if (known?.createdAt === node.createdAt) now.set(node.key, known);
      else unknown.push(node);
    }
    await mapBounded(unknown, asksAtATime, async (node) => {
      now.set(node.key, { createdAt: node.createdAt, size: await this.#ask(namespace, node, scope) });
    });
    this.#known.set(namespace, now);
    return (node) => now.get(node.key)?.size ?? 0;
  }

  async #ask(namespace: string, { snapshotter, name }: SnapshotNode, scope: Scope): Promise<number> {
    try {
      const [usage] = await this.#connection.collect({ operation: "snapshot usage", namespace }, scope, {
        method: Snapshots.method.usage,
        input: { snapshotter, key: name },
      });
      return Number(usage?.size ?? 0n);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return 0;
      throw error;
    }
  }
}
