// Random node states for the properties of node files.
import fc from "fast-check";
import type { Digest } from "../../src/image/digest.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { digestOf } from "../support/node-builder.ts";

const digest: fc.Arbitrary<Digest> = fc.nat({ max: 500 }).map((number) => digestOf(`${number}`));
const instant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
const labels = fc.dictionary(
  fc.string().filter((key) => key !== "__proto__"),
  fc.string(),
  { noNullPrototype: true, maxKeys: 3 },
);
const texts = fc.array(fc.string(), { maxLength: 3 });

/** Only keys that have a value: the domain has no fields that are undefined. */
function record<Shape, Required extends keyof Shape>(
  shape: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> },
  requiredKeys: Required[],
) {
  return fc.record(shape, { requiredKeys, noNullPrototype: true });
}

const name = record(
  { name: fc.string({ minLength: 1 }), target: digest, labels, createdAt: instant, updatedAt: instant },
  ["name", "target", "labels"],
);

const snapshot = record(
  { key: fc.string(), size: fc.maxSafeNat(), inodes: fc.nat(), parent: fc.string({ minLength: 1 }) },
  ["key", "size"],
);

const image = record(
  {
    target: digest,
    id: digest,
    digests: fc.array(digest, { maxLength: 3 }),
    labels,
    createdAt: instant,
    pinned: fc.boolean(),
    parent: digest,
    blobs: fc.array(fc.record({ digest, size: fc.maxSafeNat() }, { noNullPrototype: true }), { maxLength: 4 }),
    snapshots: fc.array(snapshot, { maxLength: 4 }),
  },
  ["target", "id", "digests", "pinned", "blobs", "snapshots"],
).map((found) => ({ ...found, digests: [...new Set([...found.digests, found.target, found.id])] }));

const container = record(
  {
    id: fc.string({ minLength: 1 }),
    image: fc.string(),
    imageId: fc.oneof(digest, fc.string()),
    otherImageIds: texts,
    state: fc.constantFrom("created", "running", "paused", "exited", "unknown"),
    kind: fc.constantFrom("container", "sandbox"),
    snapshotKey: fc.string(),
    imageMounts: texts,
    pod: fc.string(),
    createdAt: instant,
  },
  ["id", "image", "imageId", "otherImageIds", "state", "kind", "snapshotKey", "imageMounts"],
);

const namespace = fc.record(
  {
    name: fc.string(),
    names: fc.uniqueArray(name, { selector: (one) => one.name, maxLength: 5 }),
    images: fc.uniqueArray(image, { selector: (one) => one.target, maxLength: 5 }),
    containers: fc.uniqueArray(container, { selector: (one) => one.id, maxLength: 5 }),
    held: fc.record({ blobs: fc.array(digest, { maxLength: 3 }), snapshots: texts }, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

const pod = fc.record(
  { namespace: fc.string(), name: fc.string(), uid: fc.string(), phase: fc.string(), images: texts, imageIds: texts },
  { noNullPrototype: true },
);

export const nodeState: fc.Arbitrary<NodeState> = fc.record(
  {
    takenAt: instant,
    runtime: fc.record(
      { kind: fc.constantFrom("containerd", "cri", "docker", "embedded"), version: fc.string() },
      { noNullPrototype: true },
    ),
    namespaces: fc.uniqueArray(namespace, { selector: (one) => one.name, maxLength: 3 }),
    foreignBlobs: fc.array(digest, { maxLength: 3 }),
    pods: fc.option(fc.array(pod, { maxLength: 3 })),
  },
  { noNullPrototype: true },
);
