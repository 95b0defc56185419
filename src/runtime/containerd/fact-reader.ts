// Reads manifests, indexes and configs once per digest: what a digest names can never change.
import { createHash } from "node:crypto";
import type { Digest } from "../../image/digest.ts";
import { mapBounded } from "../bounded.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Scope } from "../wire/calls.ts";
import type { Connection } from "./connection.ts";
import { type ContentFact, readContentFact } from "./content-facts.ts";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import type { Inventory } from "./inventory.ts";
import { factFromLabels } from "./label-fact.ts";

/** Bytes. Larger blobs are no manifests and not read. */
const maxBlobBytes = 8 << 20;
const readsAtATime = 32;
const other: ContentFact = { kind: "other" };

/** Facts by digest, kept from one observation to the next as long as the blob exists. */
export class FactReader {
  readonly #connection: Connection;
  readonly #facts = new Map<Digest, ContentFact>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What is known of a blob, by its labels or by its content; undefined when it is not here or could not be read. */
  factOf(inventory: Inventory, digest: Digest): ContentFact | undefined {
    if (!inventory.blobs.has(digest)) return undefined;
    return factFromLabels(inventory, digest) ?? this.#facts.get(digest);
  }

  /** Reads what is not known yet of the targets and of the manifests and configs under them. */
  async read(namespace: string, targets: Iterable<Digest>, inventory: Inventory, scope: Scope): Promise<void> {
    let level = new Set(targets);
    while (level.size > 0) {
      const unread = [...level].filter((digest) => inventory.blobs.has(digest) && !this.factOf(inventory, digest));
      await mapBounded(unread, readsAtATime, (digest) => this.#readOne(namespace, digest, inventory, scope));
      level = new Set([...level].flatMap((digest) => childrenOf(this.factOf(inventory, digest))));
    }
  }

  /** Forgets everything that `exists` does not know any more. */
  retain(exists: (digest: Digest) => boolean): void {
    for (const digest of this.#facts.keys()) if (!exists(digest)) this.#facts.delete(digest);
  }

  async #readOne(namespace: string, digest: Digest, inventory: Inventory, scope: Scope): Promise<void> {
    const size = inventory.blobs.get(digest)?.blob.size ?? 0;
    const bytes = size > maxBlobBytes ? undefined : await this.#bytesOf(namespace, digest, scope);
    if (size > maxBlobBytes) this.#facts.set(digest, other);
    // A blob that is gone or damaged is not remembered: the same digest may come back whole.
    if (bytes && isWhole(bytes, digest)) this.#facts.set(digest, readContentFact(bytes));
  }

  async #bytesOf(namespace: string, digest: Digest, scope: Scope): Promise<Uint8Array | undefined> {
    try {
      const answer = await this.#connection.collect({ operation: "read content", namespace }, scope, {
        method: Content.method.read,
        input: { digest },
      });
      return Buffer.concat(answer.map(({ data }) => data));
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return undefined;
      throw error;
    }
  }
}

function childrenOf(fact: ContentFact | undefined): readonly Digest[] {
  if (fact?.kind === "manifest") return [fact.config];
  if (fact?.kind === "index") return fact.entries.map((entry) => entry.digest);
  return [];
}

function isWhole(bytes: Uint8Array, digest: Digest): boolean {
  const algorithm = digest.slice(0, digest.indexOf(":"));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` === digest;
}
