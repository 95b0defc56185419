// Reads manifests, indexes and configs once per digest: what a digest names can never change.
import { createHash } from "node:crypto";
import type { Digest } from "../../image/digest.ts";
import { mapBounded } from "../bounded.ts";
import { type ContentFact, readContentFact } from "./content-facts.ts";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import type { FactLookup } from "./image-identity.ts";
import type { Inventory } from "./inventory.ts";
import { factFromLabels } from "./label-fact.ts";
import type { Reading } from "./read-inventory.ts";
import { UnreadConfigs } from "./unread-configs.ts";
import { whenGone } from "./when-gone.ts";

/** Bytes. Larger blobs are no manifests and not read. */
const maxBlobBytes = 8 << 20;
const readsAtATime = 32;
const other: ContentFact = { kind: "other" };

/** Facts by digest, kept from one observation to the next as long as the blob exists. */
export class FactReader {
  readonly #facts = new Map<Digest, ContentFact>();

  /**
   * Reads what is not known yet of the targets and of the manifests and configs under them, and tells what is known then.
   * Without `configs`, those are left out that need not be read to tell what the images are.
   */
  async read(
    reading: Reading,
    targets: Iterable<Digest>,
    { inventory, configs }: { readonly inventory: Inventory; readonly configs: boolean },
  ): Promise<FactLookup> {
    const leftOut = new UnreadConfigs(inventory);
    const lookup = (digest: Digest) => this.#factOf(inventory, digest) ?? leftOut.get(digest);
    for (let level = new Set(targets); level.size > 0; ) {
      const unread = [...level].filter((digest) => inventory.blobs.has(digest) && !lookup(digest));
      await mapBounded(unread, readsAtATime, (digest) => this.#readOne(reading, digest, inventory));
      const next = new Set<Digest>();
      for (const digest of level) {
        const fact = lookup(digest);
        if (fact === undefined) continue;
        if (!configs) leftOut.add(digest, fact);
        for (const child of childrenOf(fact)) next.add(child);
      }
      level = next;
    }
    return lookup;
  }

  /** Forgets everything that `exists` does not know any more. */
  retain(exists: (digest: Digest) => boolean): void {
    for (const digest of this.#facts.keys()) if (!exists(digest)) this.#facts.delete(digest);
  }

  /** What is known of a blob, by its labels or by its content; undefined when it is not here or was not read. */
  #factOf(inventory: Inventory, digest: Digest): ContentFact | undefined {
    if (!inventory.blobs.has(digest)) return undefined;
    return factFromLabels(inventory, digest) ?? this.#facts.get(digest);
  }

  async #readOne(reading: Reading, digest: Digest, inventory: Inventory): Promise<void> {
    const size = inventory.blobs.get(digest)?.blob.size ?? 0;
    const bytes = size > maxBlobBytes ? undefined : await bytesOf(reading, digest);
    if (size > maxBlobBytes) this.#facts.set(digest, other);
    // A blob that is gone or damaged is not remembered: the same digest may come back whole.
    if (bytes && isWhole(bytes, digest)) this.#facts.set(digest, readContentFact(bytes));
  }
}

async function bytesOf({ connection, namespace, scope }: Reading, digest: Digest): Promise<Uint8Array | undefined> {
  const request = { method: Content.method.read, input: { digest } };
  const answer = await whenGone(
    connection.collect({ operation: "read content", namespace }, scope, request),
    undefined,
  );
  return answer && Buffer.concat(answer.map(({ data }) => data));
}

function childrenOf(fact: ContentFact): readonly Digest[] {
  if (fact.kind === "manifest") return [fact.config];
  if (fact.kind === "index") return fact.entries.map((entry) => entry.digest);
  return [];
}

function isWhole(bytes: Uint8Array, digest: Digest): boolean {
  const algorithm = digest.slice(0, digest.indexOf(":"));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` === digest;
}
