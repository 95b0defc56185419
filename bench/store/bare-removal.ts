// What a containerd and a bare client need to lose all its images: every name deleted, nothing looked at, nothing checked, one collection.
import { openConnection } from "../../src/runtime/containerd/connection.ts";
import { Images } from "../../src/runtime/containerd/gen/containerd/services/images/v1/images_pb.js";
import { scopeOf } from "../../src/runtime/wire/calls.ts";
import { inParallel } from "../in-parallel.ts";
import type { FilledNode } from "./filled-node.ts";
import { namespace, openWire } from "./wire.ts";

/** Seconds, counted in a process that runs already. `callers` delete side by side. */
export async function bareRemoval({ daemon, images }: FilledNode, callers: number): Promise<number> {
  const connection = openConnection(daemon.socket);
  const wire = openWire(daemon.socket);
  const scope = scopeOf(undefined);
  const spec = { operation: "delete image", namespace } as const;
  const remove = async (name: string): Promise<void> => {
    await connection.collect(spec, scope, { method: Images.method.delete, input: { name } });
  };
  try {
    await connection.clients.version.version({});
    const startedAt = performance.now();
    await inParallel(
      images.flatMap(({ names }) => names),
      callers,
      remove,
    );
    await wire.leases.create({ id: "bench-bare" });
    await wire.leases.delete({ id: "bench-bare", sync: true });
    return (performance.now() - startedAt) / 1000;
  } finally {
    wire.close();
    connection.close();
  }
}
