// The pods behind the test API server with their history, so that a watch can begin at any version, as with the real store.
import type { WirePod } from "./pod.ts";

export interface StoredEvent {
  readonly type: string;
  readonly version: number;
  readonly object: WirePod;
}

export class PodStore {
  #version = 1_000;
  #oldest = 0;
  readonly #pods = new Map<string, WirePod>();
  #history: StoredEvent[] = [];

  get version(): number {
    return this.#version;
  }

  /** The pods that match a field selector, in the order of their UIDs. */
  pods(selector: string): readonly WirePod[] {
    return [...this.#pods.values()]
      .filter((pod) => matches(pod, selector))
      .sort((one, other) => (one.metadata.uid < other.metadata.uid ? -1 : 1));
  }

  find(uid: string): WirePod | undefined {
    return this.#pods.get(uid);
  }

  uids(): readonly string[] {
    return [...this.#pods.keys()];
  }

  /** Records a change and returns it as the watchers see it. */
  change(type: "ADDED" | "MODIFIED" | "DELETED", pod: WirePod): StoredEvent {
    this.#version += 1;
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) } };
    if (type === "DELETED") {
      this.#pods.delete(pod.metadata.uid);
    } else {
      this.#pods.set(pod.metadata.uid, object);
    }
    const event = { type, version: this.#version, object };
    this.#history.push(event);
    return event;
  }

  /** The changes after a version; undefined when they are no longer known. */
  since(version: number): readonly StoredEvent[] | undefined {
    return version < this.#oldest ? undefined : this.#history.filter((event) => event.version > version);
  }

  /** Forgets all history: every version before the next change is gone. */
  compact(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.#history = [];
  }
}

/** Only `spec.nodeName=` is understood, like `metadata.name` is by nobody here. */
export function matches(pod: WirePod, selector: string): boolean {
  return selector === "" || selector === `spec.nodeName=${pod.spec.nodeName}`;
}
