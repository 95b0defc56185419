// A use of an image or a name: a reason to stay that knows who stands behind it.
import type { Container, Instant, Pod } from "../image/node-state.ts";
import type { Reason } from "./reason.ts";

/** In plans it is a reason like any other: what is remembered of the user does not show. */
export class Use implements Reason {
  readonly code: Reason["code"];
  readonly detail: string;
  readonly #podNamespace: string | undefined;
  readonly #since: Instant | undefined;

  constructor({ code, detail }: Reason, podNamespace: string | undefined, since?: Instant) {
    this.code = code;
    this.detail = detail;
    this.#podNamespace = podNamespace;
    this.#since = since;
  }

  /** Namespace of the pod; undefined when no pod uses it, or nobody tells which. */
  get podNamespace(): string | undefined {
    return this.#podNamespace;
  }

  /** When the container was made; undefined when it is not a container's, or the runtime does not tell. */
  get since(): Instant | undefined {
    return this.#since;
  }
}

export function useByContainer(container: Container): Use {
  return useOf(container, { code: "used-by-container", detail: describeContainer(container) });
}

/** Of an image that is mounted into a container. */
export function useByMount(container: Container): Use {
  return useOf(container, { code: "used-by-image-mount", detail: `mounted into ${describeContainer(container)}` });
}

export function useByPod({ namespace, name, phase }: Pod): Use {
  const detail = `pod ${namespace}/${name} (${phase || "no phase"})`;
  return new Use({ code: "used-by-pod", detail }, namespace);
}

function useOf({ pod, createdAt }: Container, reason: Reason): Use {
  return new Use(reason, pod?.split("/", 1)[0], createdAt);
}

/** One phrase for people. */
export function describeContainer(container: Container): string {
  const owner = container.pod === undefined ? "" : ` of pod ${container.pod}`;
  return `${container.kind} ${container.id.slice(0, 12)}${owner} (${container.state})`;
}
