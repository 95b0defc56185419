// Removes one name, never by force: the engine's own checks are the last safety net.
import type { Digest } from "../../image/digest.ts";
import { tryParseReference } from "../../image/reference.ts";
import type { RemovalResult, RemoveOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Engine, EngineFacts } from "./engine.ts";
import { type FoundName, findImage, findName } from "./find-name.ts";
import { askFor, digestReference, fullName, inPath, repositoryIn, standInName } from "./names.ts";
import { readAnswer, removalAnswer } from "./schema.ts";
import { isAtLeast } from "./version.ts";

const operation = "remove name";

/** Removes names and remembers which others went along with them. */
export class NameRemover {
  readonly #engine: Engine;
  /** Names that the engine removed together with one that was asked for, and the image that they belonged to. */
  readonly #goneAlong = new Map<string, Digest>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Removes a name that still points to `target`; with its last name the engine deletes the image, and untagged images beneath it
   * unless `keepParents`. A name that went along with an earlier one counts as removed.
   */
  async remove(name: string, target: Digest, options?: RemoveOptions): Promise<RemovalResult> {
    const facts = await this.#engine.facts(options);
    const compares = options?.whole === true && comparesTags(facts) && isTag(name);
    if (compares && (await this.#removeIfUnmoved(name, target, options))) return "removed";
    const found = await findName(this.#engine, name, options);
    if (found === undefined) return this.#takeGoneAlong(name, target) ? "removed" : "already-gone";
    if (found.name.target !== target) return "moved";
    refuseWiderRemoval(name, found);
    const untagged = await this.#delete(name, options);
    if (untagged === undefined) return "already-gone";
    this.#rememberGoneAlong(untagged, name, target);
    await this.#checkGone(name, target, options);
    return "removed";
  }

  /**
   * Asked for `repository:tag@target`, the engine itself removes the tag only if it still points there: no look before, and no gap
   * after one. False when it does not say that the tag went; a look tells why. Only for images that are to go whole: once nameless,
   * such an image goes as well, also when its tag has moved on.
   */
  async #removeIfUnmoved(name: string, target: Digest, options?: RemoveOptions): Promise<boolean> {
    const untagged = await this.#delete(`${name}@${target}`, options);
    if (untagged === undefined) return false;
    this.#rememberGoneAlong(untagged, name, target);
    if (!untagged.includes(name)) return false;
    await this.#checkGone(name, target, options);
    return true;
  }

  #rememberGoneAlong(untagged: readonly string[], name: string, target: Digest): void {
    for (const other of untagged) if (other !== name) this.#goneAlong.set(other, target);
  }

  /** Forgets what went along: a new look at the engine tells. */
  forget(): void {
    this.#goneAlong.clear();
  }

  #takeGoneAlong(name: string, target: Digest): boolean {
    if (this.#goneAlong.get(name) !== target) return false;
    return this.#goneAlong.delete(name);
  }

  /** The names that the engine says it took away; undefined when there was nothing. */
  async #delete(name: string, options: RemoveOptions = {}): Promise<readonly string[] | undefined> {
    const query = options.keepParents === true ? "?noprune=1" : "";
    const path = `/images/${inPath(askFor(name))}${query}`;
    try {
      const { text } = await this.#engine.call({ operation, method: "DELETE", path, deadline: "removal" }, options);
      return readAnswer(removalAnswer, text, operation).map(fullName);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return undefined;
      throw isUse(error) ? new RuntimeError("in-use", operation, saidBy(error), error) : error;
    }
  }

  /**
   * What the engine says is not believed but looked at. Its containerd image store keeps an image nameless that others were built on;
   * where it is to go, it goes by its ID.
   */
  async #checkGone(name: string, target: Digest, options: RemoveOptions = {}): Promise<void> {
    const left = await findImage(this.#engine, target, options);
    if (left === undefined) return;
    if (left.names.includes(name) || (left.names.length === 0 && name === standInName(target))) {
      throw new RuntimeError("conflict", operation, `the engine says that ${name} is removed, but it is still there`);
    }
    const isKeptNameless = left.store === "containerd" && left.names.length === 0;
    if (options.whole === true && isKeptNameless) await this.#delete(standInName(target), options);
  }
}

/** The engine's checks: containers in any state, images that were built on this one. Podman uses words of its own. */
const uses = /is being used by|is using its referenced image|has dependent child images|image used by|is in use/;

/** True for a refusal because of a container or a child. Other conflicts are about names that changed meanwhile. */
function isUse(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && error.code === "conflict" && uses.test(error.message);
}

/** The engine's own words, without what this adapter put before them. */
function saidBy({ message, operation: asked }: RuntimeError): string {
  return message.slice(`${asked}: `.length);
}

/** The containerd image store compares, since Docker 26 at the latest; on a graph driver the ID of an image is no digest of its names. */
function comparesTags({ imageStore, api }: EngineFacts): boolean {
  return imageStore === "containerd" && isAtLeast(api, "1.45");
}

function isTag(name: string): boolean {
  const reference = tryParseReference(name);
  return reference?.tag !== undefined && reference.digest === undefined;
}

/**
 * Asked to remove a digest reference, the containerd image store takes every tag of its repository along. A tag that came in
 * between must not go that way.
 */
function refuseWiderRemoval(name: string, { names, store }: FoundName): void {
  if (store !== "containerd" || digestReference(name) === undefined) return;
  const tag = names.find((other) => other !== name && repositoryIn(other) === repositoryIn(name));
  if (tag === undefined) return;
  throw new RuntimeError(
    "conflict",
    operation,
    `${name} goes with the last tag of its repository, and ${tag} is still there`,
  );
}
