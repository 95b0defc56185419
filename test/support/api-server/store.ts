// The objects behind the test API server with their history, so that a watch can begin at any version, as with the real store.
import type { WireNode } from "./node.ts";
import type { WirePod } from "./pod.ts";
import type { ResourceName } from "./request.ts";

export type WireObject = WirePod | WireNode;

export interface StoredEvent {
  readonly type: string;
  readonly version: number;
  readonly resource: ResourceName;
  readonly object: WireObject;
}

/** Which objects somebody asks for. */
export interface Selection {
  readonly resource: ResourceName;
  readonly selector: string;
}

export class ObjectStore {
  /** 1000 once the node is there. */
  #version = 999;
  #oldest = 0;
  readonly #objects = new Map<string, StoredEvent>();
  #history: StoredEvent[] = [];

  get version(): number {
    return this.#version;
  }

  /** The objects of a selection, in the order of their UIDs. */
  objects(selection: Selection): readonly WireObject[] {
    return [...this.#objects.values()]
      .filter((stored) => matches(stored, selection))
      .map(({ object }) => object)
      .sort((one, other) => (one.metadata.uid < other.metadata.uid ? -1 : 1));
  }

  find(uid: string): WireObject | undefined {
    return this.#objects.get(uid)?.object;
  }

  /** Records a change and returns it as the watchers see it. */
  change(type: "ADDED" | "MODIFIED" | "DELETED", resource: ResourceName, changed: WireObject): StoredEvent {
    this.#version += 1;
    const metadata = { ...changed.metadata, resourceVersion: String(this.#version) };
    const event = { type, version: this.#version, resource, object: { ...changed, metadata } as WireObject };
    if (type === "DELETED") {
      this.#objects.delete(changed.metadata.uid);
    } else {
      this.#objects.set(changed.metadata.uid, event);
    }
    this.#history.push(event);
    return event;
  }

  /** The changes after a version; undefined when they are no longer known. Without a version, what is there as ADDED. */
  since(version: string | null): readonly StoredEvent[] | undefined {
    if (version === null) {
      return [...this.#objects.values()].map((stored) => ({ ...stored, type: "ADDED" }));
    }
    return this.knows(Number(version)) ? this.#history.filter((event) => event.version > Number(version)) : undefined;
  }

  knows(version: number): boolean {
    return version >= this.#oldest;
  }

  /** Forgets all history: every version before the next change is gone. */
  compact(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.#history = [];
  }
}

/** Only `spec.nodeName=` and `metadata.name=` are understood. */
export function matches({ resource, object }: Pick<StoredEvent, "resource" | "object">, asked: Selection): boolean {
  const selectors = ["", `metadata.name=${object.metadata.name}`];
  if ("spec" in object) selectors.push(`spec.nodeName=${object.spec.nodeName}`);
  return resource === asked.resource && selectors.includes(asked.selector);
}
