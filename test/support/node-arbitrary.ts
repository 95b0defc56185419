// Generated nodes whose truth is known: which content every container and pod really uses, however it is spelled.
import fc from "fast-check";
import { emptyHistory, firstSight, type History, type Sighting } from "../../src/decide/history.ts";
import { parsePattern } from "../../src/decide/image-pattern.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import { type Digest, hexOf } from "../../src/image/digest.ts";
import { danglingName } from "../../src/image/image-id.ts";
import type { Container, Image, ImageName, NamespaceState, NodeState, Pod } from "../../src/image/node-state.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "./node-builder.ts";

/** A use that really exists: the content of `target` is needed, and the name as well where one is spelled. */
export interface TrueUse {
  readonly namespace: string;
  readonly target?: Digest;
  readonly name?: string;
}

export interface GeneratedNode {
  readonly state: NodeState;
  readonly uses: readonly TrueUse[];
}

export const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const repositories = ["docker.io/library/app", "registry.example:5000/team/web", "quay.example/tool"] as const;

// Layers are shared on purpose, "twin" has the config of "ash" under an index of its own.
const catalog: readonly Image[] = [
  imageOf("ash", { layers: ["base", "ash"] }),
  imageOf("birch", { layers: ["base", "birch"] }),
  { ...imageOf("cedar", { layers: ["base", "ash", "cedar"] }), pinned: true },
  { ...imageOf("dogwood", { layers: ["other"], layerSize: 300 }), labels: { tier: "db" } },
  twinOf(imageOf("ash", { layers: ["base", "ash"] })),
];

function twinOf(image: Image): Image {
  const target = digestOf("index twin");
  const digests = [target, digestOf("manifest twin"), image.id];
  return { ...image, target, digests, blobs: [{ digest: target, size: 50 }, ...image.blobs] };
}

const age = fc.constantFrom(0, 0.1, 1, 30, 100).map((hours) => now - hours * hour);

/** Names that point to one image, in the ways of both kinds of namespace. */
function namesOf(image: Image, cri: boolean): fc.Arbitrary<ImageName[]> {
  const labels = cri ? { "io.cri-containerd.image": "managed" } : {};
  const tag = fc.tuple(fc.constantFrom(...repositories), fc.constantFrom("1", "2", "latest")).map((p) => p.join(":"));
  const digestReference = fc.constantFrom(...repositories).map((repository) => `${repository}@${image.target}`);
  const rare = cri ? fc.constant<string>(image.id) : fc.constantFrom(danglingName(image.target), "has blank", "raw:1");
  const text = fc.oneof(
    { weight: 3, arbitrary: tag },
    { weight: 2, arbitrary: digestReference },
    { weight: 1, arbitrary: rare },
  );
  const name = fc.record({ text, createdAt: fc.option(age, { nil: undefined }) }).map(({ text: stored, createdAt }) => {
    return nameOf(stored, image.target, { labels, ...(createdAt === undefined ? {} : { createdAt }) });
  });
  return fc.array(name, { minLength: 1, maxLength: 4 });
}

/** One namespace with its true uses. The later of two equal names wins, as in a real image store. */
function namespaceArbitrary(name: string): fc.Arbitrary<{ namespace: NamespaceState; uses: TrueUse[] }> {
  const cri = name === "k8s.io";
  return fc
    .uniqueArray(fc.constantFrom(...catalog), { selector: (image) => image.target, maxLength: 4 })
    .chain((images) => fc.tuple(...images.map((image) => namesOf(image, cri))).map((lists) => ({ images, lists })))
    .chain(({ images, lists }) => {
      const names = [...new Map(lists.flat().map((entry) => [entry.name, entry])).values()];
      const named = images.filter((image) => names.some(({ target }) => target === image.target));
      const container = named.length === 0 ? undefined : containerArbitrary(named, names);
      const containers = container === undefined ? fc.constant([]) : fc.array(container, { maxLength: 3 });
      return containers.map((list) => {
        const numbered = list.map((one, i) => ({ ...one, id: `${name}-${i}` }));
        return namespaceOf(name, { names, images: named, containers: numbered });
      });
    })
    .map((namespace) => ({ namespace, uses: usesOf(namespace) }));
}

/** A container that runs one image and is spelled in one of the ways in which people and runtimes spell it. */
function containerArbitrary(images: readonly Image[], names: readonly ImageName[]): fc.Arbitrary<Container> {
  const image = fc.constantFrom(...images);
  return image
    .chain((runs) =>
      fc.record({
        image: spellingArbitrary(runs, names),
        imageId: imageIdArbitrary(runs),
        state: fc.constantFrom("running" as const, "exited" as const, "created" as const),
        kind: fc.constantFrom("container" as const, "sandbox" as const),
        mounted: fc.option(image, { freq: 5 }),
      }),
    )
    .map(({ mounted, ...more }) => {
      return containerOf("", { ...more, imageMounts: mounted === null ? [] : [mounted.target] });
    });
}

function spellingArbitrary(image: Image, names: readonly ImageName[]): fc.Arbitrary<string> {
  const digest = fc.constantFrom(...image.digests);
  const anyName = names.length === 0 ? fc.constant("gone:1") : fc.constantFrom(...names.map((entry) => entry.name));
  return fc.oneof(
    anyName,
    fc.constant(""),
    digest,
    digest.map(hexOf),
    digest.map((whole) => hexOf(whole).slice(0, 12)),
    digest.map((whole) => `${repositories[0]}@${whole}`),
    digest.map((whole) => `${repositories[0]}:1@${whole}`),
  );
}

function imageIdArbitrary(image: Image): fc.Arbitrary<string> {
  const digest = fc.constantFrom(...image.digests);
  return fc.oneof(
    digest,
    digest.map(hexOf),
    digest.map((whole) => `docker-pullable://${repositories[1]}@${whole}`),
  );
}

function podArbitrary(namespaces: readonly NamespaceState[]): fc.Arbitrary<Pod> {
  const names = namespaces
    .flatMap((namespace) => namespace.names.map(({ name }) => name))
    .filter((n) => n !== "has blank");
  const ids = namespaces.flatMap((namespace) => namespace.images.flatMap((image) => image.digests));
  const some = <Value>(values: readonly Value[]) =>
    values.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...values), { maxLength: 2 });
  return fc
    .record({
      name: fc.constantFrom("a", "b", "c"),
      phase: fc.constantFrom("Pending", "Running", "", "Succeeded", "Failed"),
      images: some(names),
      imageIds: some(ids),
    })
    .map((pod) => ({ namespace: "default", uid: pod.name, ...pod }));
}

/** What the containers of a namespace really use. Written apart from src/decide: it is what that is tested against. */
function usesOf(namespace: NamespaceState): TrueUse[] {
  const stored = new Set(namespace.names.map(({ name }) => name));
  return namespace.containers.flatMap(({ image, imageId, imageMounts }) => {
    const digest = `sha256:${imageId.slice(-64)}`;
    const run = namespace.images.filter(({ digests }) => digests.some((own) => own === digest));
    const mounted = namespace.images.filter(({ target }) => imageMounts.includes(target));
    const spelled = stored.has(image) ? [{ namespace: namespace.name, name: image }] : [];
    return [...[...run, ...mounted].map(({ target }) => ({ namespace: namespace.name, target })), ...spelled];
  });
}

function podUses(namespaces: readonly NamespaceState[], pods: readonly Pod[] | null): TrueUse[] {
  const active = (pods ?? []).filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed");
  return namespaces.flatMap((namespace) =>
    active.flatMap(({ images, imageIds }) => [
      ...namespace.names
        .filter(({ name }) => images.includes(name))
        .map(({ name }) => ({ namespace: namespace.name, name })),
      ...namespace.images
        .filter(({ digests }) => digests.some((digest) => imageIds.includes(digest)))
        .map(({ target }) => ({ namespace: namespace.name, target })),
    ]),
  );
}

/** A node with one or two namespaces, with or without a pod source. */
export const nodeArbitrary: fc.Arbitrary<GeneratedNode> = fc
  .constantFrom(["k8s.io"], ["default"], ["k8s.io", "default"], ["default", "other"])
  .chain((names) => fc.tuple(...names.map(namespaceArbitrary)))
  .chain((parts) => {
    const namespaces = parts.map(({ namespace }) => namespace);
    const pods = fc.option(fc.array(podArbitrary(namespaces), { maxLength: 3 }));
    const layers = catalog.flatMap(({ blobs }) => blobs.map(({ digest }) => digest));
    const foreignBlobs = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray([...new Set(layers)]));
    return fc.record({ pods, foreignBlobs }).map((rest) => ({
      state: nodeOf({ takenAt: now, namespaces, ...rest }),
      uses: [...parts.flatMap(({ uses }) => uses), ...podUses(namespaces, rest.pods)],
    }));
  });

/** Policies of every kind of condition, mostly the one that removes all that nothing uses. */
export const policyArbitrary: fc.Arbitrary<Policy> = fc
  .record({
    danglingOnly: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    unusedFor: fc.constantFrom(0, 0, 24 * hour),
    danglingFor: fc.constantFrom(undefined, undefined, 0, hour),
    minAge: fc.constantFrom(0, 0, hour),
    keepPerRepository: fc.constantFrom(0, 0, 0, 1, 2),
    podNamespaces: fc.oneof(
      { weight: 5, arbitrary: fc.constant({ only: [], except: [] }) },
      fc.constantFrom({ only: ["ci"], except: [] }, { only: [], except: ["prod"] }),
    ),
    keep: fc.subarray(["app:1", "quay.example/**", "/:latest$/", digestOf("manifest birch")], { maxLength: 1 }),
    until: fc.oneof({ weight: 4, arbitrary: fc.constant<number[]>([]) }, fc.constant([now - 10 * hour])),
    labels: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.constant([{ key: "tier", negated: true }])),
  })
  .map((policy) => ({ ...removeAllUnused, ...policy, keep: policy.keep.map(parsePattern) }));

/** What a remove list may mean on these nodes. */
export const removeListArbitrary = fc
  .subarray(["app:*", "quay.example/**", "/:2$/", digestOf("manifest ash"), "label:tier", digestOf("config dogwood")], {
    minLength: 1,
    maxLength: 2,
  })
  .map((texts) => texts.map(parsePattern));

/** What may be remembered of a node: nothing, or a sighting for some of its names and images. */
export function historyArbitrary(state: NodeState): fc.Arbitrary<History> {
  const sighting: fc.Arbitrary<Sighting> = fc.tuple(age, age).chain(([a, b]) =>
    fc.constantFrom([], ["ci"], ["prod"], ["ci", "prod"]).map((usedBy) => {
      return { ...firstSight(Math.min(a, b)), lastUsed: Math.max(a, b), usedBy };
    }),
  );
  const unknown = fc.constantFrom("just-used" as const, "record-time" as const);
  const remembered = fc.tuple(
    ...state.namespaces.map((namespace) =>
      fc.record({ seen: sighting, some: fc.boolean() }).map(
        ({ seen, some }) =>
          [
            namespace.name,
            {
              images: new Map(namespace.images.map(({ target }) => [target, seen])),
              names: new Map(some ? namespace.names.map(({ name }) => [name, seen]) : []),
            },
          ] as const,
      ),
    ),
  );
  return fc.oneof(
    unknown.map(emptyHistory),
    fc.tuple(unknown, remembered).map(([kind, entries]) => ({ unknown: kind, namespaces: new Map(entries) })),
  );
}

/** A node, a policy and a history: everything that a plan is made from, and the truth about uses. */
export const planInputArbitrary = nodeArbitrary.chain(({ state, uses }) =>
  fc.record({
    state: fc.constant(state),
    uses: fc.constant(uses),
    policy: policyArbitrary,
    history: historyArbitrary(state),
  }),
);
