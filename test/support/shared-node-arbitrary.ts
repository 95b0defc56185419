// Generated nodes that share layers heavily, with everything else that holds content; and what they free, found the slow way.
import fc from "fast-check";
import { type History, recordUses } from "../../src/decide/history.ts";
import { makePlan, type Plan, type PlanInput } from "../../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import type { Image, ImageName, NamespaceState, NodeState } from "../../src/image/node-state.ts";
import { containerOf, digestOf, nameOf, namespaceOf, nodeOf, sightingOf } from "./node-builder.ts";

export const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;

/** Bytes by layer. Chains of few layers meet in many images. */
const layerSizes: Readonly<Record<string, number>> = { a: 5_000, b: 700, c: 30, d: 0 };

const chains = [["a"], ["a", "b"], ["a", "b", "c"], ["a", "c"], ["b"], ["d", "b"], ["d"]] as const;

interface ImagePlan {
  readonly chain: readonly string[];
  /** Images with the same word here have one config, and so one ID. */
  readonly config: string;
  readonly pinned: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

function imageFrom(word: string, { chain, config, pinned, labels }: ImagePlan): Image {
  const target = digestOf(`index ${word}`);
  const id = digestOf(`config ${config} ${chain.join(" ")}`);
  const keys = chain.map((_, depth) => `overlayfs/${chain.slice(0, depth + 1).join("-")}`);
  const layers = chain.map((layer) => ({ digest: digestOf(`layer ${layer}`), size: layerSizes[layer] ?? 0 }));
  const snapshots = keys.map((key, depth) => {
    const parent = keys[depth - 1];
    const size = 2 * (layerSizes[chain[depth] ?? ""] ?? 0);
    return { key, size, ...(parent === undefined ? {} : { parent }) };
  });
  const blobs = [{ digest: target, size: 11 }, { digest: id, size: 13 }, ...layers];
  return { target, id, digests: [target, id], labels, pinned, blobs, snapshots };
}

const imagePlan: fc.Arbitrary<ImagePlan> = fc.record({
  chain: fc.constantFrom(...chains),
  config: fc.constantFrom("x", "y"),
  pinned: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  labels: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, fc.constant({ tier: "db" })),
});

function namesOf(image: Image, word: string, cri: boolean, count: number): ImageName[] {
  const labels = cri ? { "io.cri-containerd.image": "managed" } : {};
  const repository = `r.example/${word.slice(0, 1)}`;
  const tags = Array.from({ length: count }, (_, i) => nameOf(`${repository}:${word}.${i}`, image.target, { labels }));
  return cri && count > 0 ? [...tags, nameOf(`${repository}@${image.target}`, image.target, { labels })] : tags;
}

function namespaceArbitrary(name: string): fc.Arbitrary<NamespaceState> {
  const cri = name === "k8s.io";
  const one = fc.record({
    plan: imagePlan,
    tags: fc.constantFrom(0, 1, 1, 1, 2, 2),
    used: fc.constantFrom(false, false, false, true),
  });
  return fc
    .record({
      list: fc.array(one, { maxLength: 8, size: "max" }),
      held: fc.constantFrom(0, 1, 20, 20, 20, 20),
      holdsIdName: fc.boolean(),
    })
    .map(({ list, held, holdsIdName }) => {
      const words = list.map((_, i) => `${"pqr"[i % 3]}${i}`);
      const images = list.map(({ plan }, i) => imageFrom(words[i] ?? "", plan));
      const names = list.flatMap(({ tags }, i) => namesOf(images[i] as Image, words[i] ?? "", cri, tags));
      const named = new Set(names.map(({ target }) => target));
      const idNames = images
        .filter(({ target }) => cri && holdsIdName && named.has(target))
        .map(({ id, target }) => nameOf(id, target, { labels: { "io.cri-containerd.image": "managed" } }));
      const unique = new Map([...names, ...idNames].map((entry) => [entry.name, entry]));
      const containers = list.flatMap(({ used }, i) =>
        used ? [containerOf(`${name}-${i}`, { imageId: images[i]?.target ?? "", pod: "ci/job" })] : [],
      );
      const holder = images[held];
      const keeps = {
        blobs: holder?.blobs.map(({ digest }) => digest) ?? [],
        snapshots: holder?.snapshots.map(({ key }) => key) ?? [],
      };
      return namespaceOf(name, { names: [...unique.values()], images, containers, held: keeps });
    });
}

/** A node with one or two namespaces that share blobs. */
export const sharedNodeArbitrary: fc.Arbitrary<NodeState> = fc
  .constantFrom(["k8s.io"], ["default"], ["k8s.io", "default"])
  .chain((names) => fc.tuple(...names.map(namespaceArbitrary)))
  .chain((namespaces) =>
    fc
      .subarray(Object.keys(layerSizes), { maxLength: 1 })
      .map((layers) => layers.map((layer) => digestOf(`layer ${layer}`)))
      .map((foreignBlobs) => nodeOf({ takenAt: now, namespaces, foreignBlobs, pods: [] })),
  );

const ages = fc.constantFrom(0, 1, 2, 30, 30, 90).map((hours) => now - hours * hour);

function historyArbitrary(state: NodeState): fc.Arbitrary<History> {
  const before: History = { unknown: "just-used", namespaces: new Map() };
  const seen = recordUses(before, state, new Map());
  return fc.array(fc.tuple(ages, ages, fc.nat(5)), { minLength: 1, maxLength: 9 }).map((sights) => {
    let next = 0;
    const aged = <Key>(keys: Iterable<Key>) =>
      new Map(
        [...keys].map((key) => {
          const [one = now, other = now, timesUsed = 0] = sights[next++ % sights.length] ?? [];
          const times = { firstSeen: Math.min(one, other), lastUsed: Math.max(one, other) };
          return [key, sightingOf({ ...times, timesUsed, usedBy: timesUsed > 3 ? ["ci"] : ["prod"] })];
        }),
      );
    const namespaces = [...seen.namespaces].map(
      ([name, { images, names }]) => [name, { images: aged(images.keys()), names: aged(names.keys()) }] as const,
    );
    return { unknown: "just-used", namespaces: new Map(namespaces) };
  });
}

const policyArbitrary: fc.Arbitrary<Policy> = fc
  .record({
    unusedFor: fc.constantFrom(0, 24 * hour, 48 * hour),
    minAge: fc.constantFrom(0, 0, 0, 3 * hour),
    keepPerRepository: fc.constantFrom(0, 0, 0, 1),
  })
  .map((some) => ({ ...removeAllUnused, ...some }));

/** A node, what is remembered of it, and a policy without a demand. */
export const sharedInputArbitrary: fc.Arbitrary<Pick<PlanInput, "state" | "history" | "policy">> =
  sharedNodeArbitrary.chain((state) =>
    fc.record({ state: fc.constant(state), history: historyArbitrary(state), policy: policyArbitrary }),
  );

/** Bytes to be freed: nothing, little, about what there is, and more than that. */
export const demandedBytes = fc.oneof(fc.constant(0), fc.nat(100), fc.nat(20_000), fc.constant(10 ** 9));

/** Images by namespace and target, in one piece of text. */
export const keyOf = (namespace: string, target: string): string => `${namespace} ${target}`;

/** The keys of what a plan deletes, in the order of removal. */
export function deletedIn(plan: Plan): string[] {
  return plan.images
    .filter(({ action }) => action === "delete")
    .map(({ namespace, image }) => keyOf(namespace, image.target));
}

/** Bytes that go when these images go: everything that can be reached from the roots, before and after. */
export function freedBy(state: NodeState, removed: ReadonlySet<string>): number {
  const before = reachable(state, new Set());
  const after = reachable(state, removed);
  return [...before].reduce((sum, [content, size]) => (after.has(content) ? sum : sum + size), 0);
}

/** Content that roots keep alive, with its size. Roots are the images that are not removed, what is held, other namespaces. */
function reachable(state: NodeState, removed: ReadonlySet<string>): ReadonlyMap<string, number> {
  const { sizes, parents } = contentOf(state);
  const roots = [...state.foreignBlobs, ...state.namespaces.flatMap((namespace) => rootsOf(namespace, removed))];
  const found = new Map<string, number>();
  for (let content = roots.pop(); content !== undefined; content = roots.pop()) {
    if (found.has(content)) continue;
    found.set(content, sizes.get(content) ?? 0);
    roots.push(...(parents.get(content) ?? []));
  }
  return found;
}

function rootsOf({ name, images, held }: NamespaceState, removed: ReadonlySet<string>): string[] {
  const staying = images.filter(({ target }) => !removed.has(keyOf(name, target)));
  const blobs = staying.flatMap((image) => image.blobs.map(({ digest }) => digest));
  const tips = staying.flatMap(({ snapshots }) => snapshots.slice(-1).map(({ key }) => key));
  return [...blobs, ...held.blobs, ...[...tips, ...held.snapshots].map((key) => `${name}/${key}`)];
}

function contentOf({ namespaces }: NodeState) {
  const sizes = new Map<string, number>();
  const parents = new Map<string, readonly string[]>();
  for (const { name, images } of namespaces) {
    for (const { digest, size } of images.flatMap(({ blobs }) => blobs)) sizes.set(digest, size);
    for (const { key, size, parent } of images.flatMap(({ snapshots }) => snapshots)) {
      sizes.set(`${name}/${key}`, size);
      parents.set(`${name}/${key}`, parent === undefined ? [] : [`${name}/${parent}`]);
    }
  }
  return { sizes, parents };
}

/** A plan under a demand. */
export function planUnder(
  input: Pick<PlanInput, "state" | "history" | "policy">,
  mode: "routine" | "pressure" | "emergency",
  bytes: number,
): Plan {
  return makePlan({ ...input, demand: { mode, bytes, inodes: 0, because: "the disk is full" } });
}
