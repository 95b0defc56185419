// Configs that need not be read to tell what an image is. Pure.
import type { Digest } from "../../image/digest.ts";
import type { ContentFact } from "./content-facts.ts";
import type { Inventory } from "./inventory.ts";

const unread: ContentFact = { kind: "config" };

/**
 * Unpacking labels a config with its topmost snapshot. Then it is known to be one, and where its image stands. It has to be
 * read all the same where nothing else tells which of several manifests is the one for this node.
 */
export class UnreadConfigs {
  readonly #inventory: Inventory;
  readonly #manifests = new Map<Digest, Digest[]>();
  readonly #ofUnknownPlatform = new Set<Digest>();

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  /** Notes what a blob turned out to be. */
  add(digest: Digest, fact: ContentFact): void {
    if (fact.kind === "manifest") {
      const manifests = this.#manifests.get(fact.config);
      if (manifests === undefined) this.#manifests.set(fact.config, [digest]);
      else manifests.push(digest);
    }
    if (fact.kind !== "index") return;
    const runnable = fact.entries.filter((entry) => !entry.attestation && this.#inventory.blobs.has(entry.digest));
    if (runnable.length < 2) return;
    for (const entry of runnable) if (entry.platform === undefined) this.#ofUnknownPlatform.add(entry.digest);
  }

  /** The little that is known of such a config; undefined for everything else. */
  get(digest: Digest): ContentFact | undefined {
    const manifests = this.#manifests.get(digest);
    if (manifests === undefined || manifests.some((manifest) => this.#ofUnknownPlatform.has(manifest)))
      return undefined;
    const isUnpacked = (this.#inventory.blobs.get(digest)?.references.snapshots.length ?? 0) > 0;
    return isUnpacked ? unread : undefined;
  }
}
