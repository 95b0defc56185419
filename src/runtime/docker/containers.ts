// Reads the containers in every state, with the image as it was spelled when each of them was made.
import type { Container } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import type { CallOptions } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { containerDetail, containerList } from "./schema.ts";

/** What never changes of a container: it is asked for once. */
interface Made {
  readonly image: string;
  readonly imageMounts: readonly string[];
}

const asksAtATime = 12;

/** Reads containers again and again, and asks for the details of each only once. */
export class ContainerReader {
  readonly #engine: Engine;
  readonly #made = new Map<string, Made>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Every container as it is now. One that goes while it is looked at no longer uses anything. */
  async read(options?: CallOptions): Promise<readonly Container[]> {
    const call = { operation: "list containers", path: "/containers/json?all=1", deadline: "list" } as const;
    const listed = await this.#engine.get(containerList, call, options);
    const present = new Set(listed.map(({ Id }) => Id));
    for (const id of this.#made.keys()) if (!present.has(id)) this.#made.delete(id);
    const read = await mapBounded(
      listed,
      asksAtATime,
      async ({ Id, ImageID, State, Created }): Promise<Container[]> => {
        const made = this.#made.get(Id) ?? (await this.#ask(Id, options));
        if (made === undefined) return [];
        this.#made.set(Id, made);
        return [
          {
            id: Id,
            image: made.image,
            imageId: ImageID ?? "",
            otherImageIds: [],
            state: State,
            kind: "container",
            snapshotKey: "",
            imageMounts: made.imageMounts,
            ...(Created ? { createdAt: Created * 1000 } : {}),
          },
        ];
      },
    );
    return read.flat();
  }

  /** The list shows the image under another name once its tag has moved; only the details keep the spelling. */
  async #ask(id: string, options?: CallOptions): Promise<Made | undefined> {
    const call = { operation: "inspect container", path: `/containers/${encodeURIComponent(id)}/json` };
    const detail = await this.#engine.find(containerDetail, call, options);
    if (detail === undefined) return undefined;
    const asked = detail.HostConfig?.Mounts ?? [];
    const mounted = detail.Mounts.filter((source) => !source.startsWith("/"));
    return { image: detail.Config?.Image ?? "", imageMounts: [...new Set([...asked, ...mounted])] };
  }
}
