// Fills a containerd's image store from outside, by its own `ctr`: for the fixtures that look at it through either interface.
import type { Digest } from "../../src/image/digest.ts";
import type { Containerd } from "../support/daemons/containerd.ts";
import { busyboxLayer } from "../support/oci/busybox.ts";
import type { Storable } from "../support/oci/descriptor.ts";
import { type BuiltImage, buildImage, hostPlatform } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";
import type { ImageRecipe, MadeImage, Seed, SeedName } from "./subject.ts";

export interface StorePlace {
  /** Where names go that say nothing else. */
  readonly namespace: string;
  /** Makes the content private to its subject. */
  readonly salt: string;
}

/** Makes images and names. */
export async function seedStore<Key extends string>(
  daemon: Containerd,
  { images, names }: Seed<Key>,
  { namespace, salt }: StorePlace,
): Promise<Readonly<Record<Key, MadeImage>>> {
  const made = new Map(Object.entries<ImageRecipe>(images).map(([key, recipe]) => [key, makeImage(recipe, salt)]));
  for (const [key, { image }] of made) await importNames(daemon, image, namesByNamespace(names, key, namespace));
  for (const name of names) await setLabels(daemon, name, namespace);
  return Object.fromEntries([...made].map(([key, { digests }]) => [key, digests])) as Record<Key, MadeImage>;
}

/** Points a name to what another name of the namespace points to. */
export async function tagInStore(
  daemon: Containerd,
  { namespace, name, target }: { readonly namespace: string; readonly name: string; readonly target: Digest },
): Promise<void> {
  const source = (await storedNames(daemon, namespace)).find((stored) => stored.target === target);
  if (source === undefined) throw new Error(`no name points to ${target}`);
  if (source.name === name) return;
  const local = daemon.version === "1.6" ? [] : ["--local"];
  await daemon.ctr("-n", namespace, "images", "tag", "--force", ...local, source.name, name);
}

function makeImage(recipe: ImageRecipe, salt: string): { image: Storable; digests: MadeImage } {
  const layers = recipe.layers.map((layer) => buildLayer({ [`layers/${layer}`]: `${salt} ${layer}\n` }));
  const whole = {
    layers: recipe.runnable ? [busyboxLayer(), ...layers] : layers,
    labels: recipe.labels ?? {},
    cmd: ["sleep", "3600"],
  };
  const image = buildImage(whole);
  const digests = {
    manifest: image.manifest.digest,
    config: image.config.digest,
    layers: image.layers.map((layer) => layer.blob.descriptor.digest),
  };
  if (!recipe.multiPlatform) return { image, digests: { target: image.target.digest, ...digests } };
  const index = indexOver(image, buildImage({ ...whole, platform: foreignPlatform }));
  return { image: index, digests: { target: index.target.digest, index: index.target.digest, ...digests } };
}

const foreignPlatform = { os: "linux", architecture: hostPlatform.architecture === "arm64" ? "amd64" : "arm64" };

function indexOver(here: BuiltImage, elsewhere: BuiltImage): Storable {
  return buildIndex([elsewhere, here], { leaveOut: [elsewhere] });
}

function namesByNamespace(names: readonly SeedName[], image: string, namespace: string): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const name of names) {
    if (name.image !== image) continue;
    const where = name.namespace ?? namespace;
    grouped.set(where, [...(grouped.get(where) ?? []), name.name]);
  }
  return grouped;
}

async function importNames(daemon: Containerd, image: Storable, grouped: Map<string, string[]>): Promise<void> {
  for (const [namespace, names] of grouped) await daemon.import(image, { namespace, names });
}

async function setLabels(daemon: Containerd, { name, labels = {}, ...rest }: SeedName, namespace: string) {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (words.length > 0) await daemon.ctr("-n", rest.namespace ?? namespace, "images", "label", name, ...words);
}

/** Every record of a namespace. */
export async function storedNames(daemon: Containerd, namespace: string) {
  const { stdout } = await daemon.ctr("-n", namespace, "images", "list");
  const rows = stdout.trim().split("\n").slice(1);
  return rows.map((row) => row.split(/\s+/)).map(([name = "", , target = ""]) => ({ name, target }));
}
