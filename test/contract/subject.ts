// What a runtime must offer to be tested by the contract table: a way to be filled from outside, as its other users do.
import type { Digest } from "../../src/image/digest.ts";
import type { Capabilities, ContainerRuntime } from "../../src/runtime/runtime.ts";

/** An image described by what it holds, so that every runtime's fixture can make it. */
export interface ImageRecipe {
  /** Texts, base first: the same text at the same place is the same layer, within one subject. */
  readonly layers: readonly string[];
  /** Labels of the config. */
  readonly labels?: Readonly<Record<string, string>>;
  /** True for an index with a manifest for this platform and one for another platform, whose content is absent. */
  readonly multiPlatform?: boolean;
  /** True when containers are to be started from it. */
  readonly runnable?: boolean;
}

/** The digests that a made image got. Layers are those of this platform. */
export interface MadeImage {
  readonly target: Digest;
  readonly index?: Digest;
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layers: readonly Digest[];
}

export interface SeedName {
  /** Default: the subject's own namespace. */
  readonly namespace?: string;
  readonly name: string;
  /** Key of the image in `images`. */
  readonly image: string;
  /** Labels of the name's record, where the runtime has such labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Seed<Key extends string> {
  readonly images: Readonly<Record<Key, ImageRecipe>>;
  readonly names: readonly (SeedName & { readonly image: Key })[];
}

export interface ContainerRecipe {
  readonly id: string;
  /** A name that the runtime stores. Its image is runnable. */
  readonly image: string;
  readonly state: "running" | "exited";
}

/** One runtime with two fresh namespaces, for one case. All content is private to the subject. */
export interface Subject {
  readonly runtime: ContainerRuntime;
  readonly namespace: string;
  /** A second namespace; the same as `namespace` when the runtime has only one. */
  readonly otherNamespace: string;
  /** Makes images and names. Later seeds may point names of earlier ones elsewhere. */
  seed<Key extends string>(seed: Seed<Key>): Promise<Readonly<Record<Key, MadeImage>>>;
  /** Points a name, new or not, to an image that is there: somebody else's `tag`. */
  tag(name: string, target: Digest): Promise<void>;
  /** Makes a container and returns its ID: the wanted one where the runtime lets others choose it. */
  createContainer(recipe: ContainerRecipe): Promise<string>;
  removeContainer(id: string): Promise<void>;
  /** Removes what the subject made. */
  stop(): Promise<void>;
}

/** A runtime under test. `open` and `close` frame all cases, `subject` and `Subject.stop` each one. */
export interface RuntimeFixture {
  readonly name: string;
  /** What the runtime is known to be able to do: cases that need more are skipped, and `info` must say the same. */
  readonly capabilities: Capabilities;
  open(): Promise<void>;
  subject(): Promise<Subject>;
  close(): Promise<void>;
}

/** One row of the contract table. */
export interface ContractCase {
  /** A sentence of behaviour. */
  readonly name: string;
  readonly needs?: readonly (keyof Capabilities)[];
  run(subject: Subject, fixture: RuntimeFixture): Promise<void>;
}
