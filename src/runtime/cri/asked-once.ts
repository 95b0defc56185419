// Answers that can never change: each is asked for once, and forgotten with the thing that it is about.
import { mapBounded } from "../bounded.ts";

const questionsAtATime = 16;

export class AskedOnce<Key, Answer> {
  #known: ReadonlyMap<Key, Answer> = new Map();

  /** The answers about all of `keys`: those that are known, and new ones for the others. */
  async about(keys: readonly Key[], ask: (key: Key) => Promise<Answer>): Promise<ReadonlyMap<Key, Answer>> {
    const before = this.#known;
    const entries = await mapBounded(keys, questionsAtATime, async (key) => {
      return [key, before.get(key) ?? (await ask(key))] as const;
    });
    this.#known = new Map(entries);
    return this.#known;
  }
}
