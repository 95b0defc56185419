// Changes in the daemon, as hints to look again.
import type { RuntimeEvent } from "../runtime.ts";
import type { Connection } from "./connection.ts";

/** The changes of the given namespaces until `signal` fires. Nothing is replayed: look again after every (re)connect. */
export async function* subscribe(
  connection: Connection,
  namespaces: readonly string[],
  signal: AbortSignal,
): AsyncIterable<RuntimeEvent> {
  // The daemon filters: a removal of thousands of names makes many more events about content than about names and uses.
  const filters = namespaces.map((namespace) => {
    return `namespace==${JSON.stringify(namespace)},topic~="^/(images/|containers/(create|delete)$|tasks/exit$)"`;
  });
  const observed = new Set(namespaces);
  const stream = connection.stream({ operation: "watch events" }, signal, (options) =>
    connection.clients.events.subscribe({ filters }, options),
  );
  for await (const { topic, namespace } of stream) {
    const kind = kindOf(topic);
    if (kind && observed.has(namespace)) yield { kind, namespace };
  }
}

/** What a topic is about; undefined for those that change neither names nor uses of images. */
export function kindOf(topic: string): RuntimeEvent["kind"] | undefined {
  if (topic.startsWith("/images/")) return "image";
  if (topic === "/containers/create" || topic === "/containers/delete" || topic === "/tasks/exit") return "container";
  return undefined;
}
