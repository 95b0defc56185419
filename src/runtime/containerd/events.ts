// Changes in the daemon, as hints to look again.
import type { RuntimeEvent } from "../runtime.ts";
import type { Connection } from "./connection.ts";

type Kind = RuntimeEvent["kind"];

const topics: Readonly<Record<Kind, string>> = {
  image: "images/",
  container: "containers/(create|delete)$|tasks/exit$",
};

/** The changes of the given namespaces until `signal` fires. Nothing is replayed: look again after every (re)connect. */
export async function* subscribe(
  connection: Connection,
  { namespaces, kinds }: { readonly namespaces: readonly string[]; readonly kinds: readonly Kind[] },
  signal: AbortSignal,
): AsyncIterable<RuntimeEvent> {
  // The daemon filters: a removal of thousands of names makes many more events about content than about names and uses.
  const topic = `topic~="^/(${kinds.map((kind) => topics[kind]).join("|")})"`;
  const filters = namespaces.map((namespace) => `namespace==${JSON.stringify(namespace)},${topic}`);
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
