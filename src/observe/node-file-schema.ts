// The format of a node file: the one schema from which parsing, the types and docs/node-file.schema.json come.
import * as z from "zod";
import { type Digest, isDigest } from "../image/digest.ts";
import type { ContainerState, Instant } from "../image/node-state.ts";

const digestAllowed = "a digest (sha256: and 64 lower-case hexadecimal digits; sha384 and sha512 likewise)";
const timeAllowed = "an RFC 3339 time such as 2026-01-31T12:00:00Z, or null";

/** Go writes its zero time where a time is not known. */
const zeroTime = Date.parse("0001-01-01T00:00:00Z");

const containerStates: Readonly<Record<string, ContainerState>> = {
  created: "created",
  running: "running",
  restarting: "running",
  paused: "paused",
  exited: "exited",
  stopped: "exited",
  dead: "exited",
};

const digest = z
  .string({ error: digestAllowed })
  .refine(isDigest, { error: digestAllowed })
  .meta({
    id: "digest",
    pattern: "^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$",
    description: "A content digest.",
  })
  .transform((text) => text as Digest);

const time = z.iso
  .datetime({ offset: true, error: timeAllowed })
  .meta({ id: "time", description: "An RFC 3339 time. Null, absent and Go's zero time mean that it is not known." })
  .transform((text): Instant | undefined => {
    const instant = Date.parse(text);
    return instant === zeroTime ? undefined : instant;
  });

const labels = z.record(z.string(), z.string());
const size = z.int().min(0, { error: "a size in bytes, 0 or more" });

const name = z.object({
  name: z.string().min(1, { error: "a name that is not empty" }).describe("The name exactly as the runtime stores it."),
  target: digest.describe("The manifest or index that the name points to."),
  createdAt: time.nullish(),
  updatedAt: time.nullish(),
  labels: labels.nullish().describe("Labels of the runtime's record. Default: none."),
});

const image = z.object({
  target: digest.describe("What the image's names point to."),
  id: digest.nullish().describe("Digest of the config of the node's platform. Default: the target."),
  digests: z.array(digest).nullish().describe("All digests that mean this image; target and id always do."),
  digestKinds: z
    .array(z.enum(["index", "manifest", "config"]))
    .nullish()
    .describe("What each of the digests names, in the same order. Null or absent: not known."),
  platform: z.string().nullish().describe("os/architecture of the config that is the ID."),
  labels: labels.nullish().describe("Labels of the image's config. Null or absent: no config could be read."),
  createdAt: time.nullish().describe("When the image was built."),
  pinned: z.boolean().nullish().describe("Default: false."),
  parent: digest.nullish().describe("Target of the parent image."),
  blobs: z
    .array(z.object({ digest, size }))
    .nullish()
    .describe("Blobs that the runtime keeps because of this image. Default: none."),
  snapshots: z
    .array(
      z.object({
        key: z.string(),
        size,
        inodes: z.int().min(0, { error: "a number of inodes, 0 or more" }).nullish(),
        parent: z.string().nullish(),
      }),
    )
    .nullish()
    .describe("Layer snapshots that the runtime keeps because of this image, parents first. Default: none."),
});

const container = z.object({
  id: z.string().nullish().describe("Default: container-<n>, counted from 1."),
  image: z.string().nullish().describe("The image as it was spelled. Default: empty."),
  imageId: z.string().nullish().describe("Any digest of the image, with or without sha256:, or a name with a digest."),
  otherImageIds: z.array(z.string()).nullish().describe("More digests that the content may belong to. Default: none."),
  state: z
    .string()
    .nullish()
    .describe(
      "created, running, paused or exited; anything else counts as unknown. A container uses its image in every state.",
    )
    .transform((text): ContainerState => containerStates[text?.toLowerCase() ?? ""] ?? "unknown"),
  kind: z.enum(["container", "sandbox"]).nullish().describe("Default: container."),
  snapshotKey: z.string().nullish().describe("Key of the container's own snapshot. Default: empty."),
  imageMounts: z.array(z.string()).nullish().describe("Images mounted as volumes. Default: none."),
  pod: z.string().nullish().describe("namespace/name of the pod."),
  createdAt: time.nullish().describe("When the container was made."),
});

const namespace = z.object({
  name: z
    .string()
    .nullish()
    .describe("Default: default. Names of the namespace k8s.io follow the rules of Kubernetes."),
  names: z.array(name).nullish(),
  images: z.array(image).nullish().describe("A target without an entry here is an image of its own, without content."),
  containers: z.array(container).nullish(),
  held: z
    .object({ blobs: z.array(digest).nullish(), snapshots: z.array(z.string()).nullish() })
    .nullish()
    .describe("What containers, leases and running pulls keep, whatever becomes of the images."),
});

const pod = z.object({
  namespace: z.string().nullish().describe("Default: default."),
  name: z.string(),
  uid: z.string().nullish(),
  phase: z.string().nullish(),
  images: z.array(z.string()).nullish().describe("Images as spelled in the spec."),
  imageIds: z.array(z.string()).nullish().describe("Image IDs from the status."),
});

/** A node file as JSON. Unknown fields are ignored. */
export const nodeFileSchema = z.object({
  takenAt: time.nullish().describe("When the node was looked at. Default: now."),
  runtime: z
    .object({
      kind: z.enum(["containerd", "cri", "docker", "embedded"]).nullish(),
      version: z.string().nullish(),
      untag: z.boolean().nullish().describe("False when a single name cannot be removed. Default: true."),
      imageStore: z.enum(["graph-driver", "containerd"]).nullish().describe("How a Docker Engine keeps images."),
      exactBytes: z.boolean().nullish().describe("False when sizes are what the runtime tells. Default: true."),
    })
    .nullish()
    .describe("Default: embedded, of unknown version."),
  namespaces: z.array(namespace).superRefine(refuseTwins),
  foreignBlobs: z.array(digest).nullish().describe("Blobs that other namespaces of the runtime still hold."),
  pods: z.array(pod).nullish().describe("The pods of the node. Null or absent: there was no pod source."),
  filesystems: z
    .array(
      z.object({
        path: z.string(),
        capacityBytes: z.number().min(0),
        usedBytes: z.number().min(0),
        inodes: z.number().min(0),
        inodesUsed: z.number().min(0),
      }),
    )
    .nullish()
    .describe("How full the filesystems were that hold images, for questions about pressure."),
  history: z.unknown().optional().describe("What is remembered of earlier rounds. Passed through as it is."),
});

export type NodeFile = z.output<typeof nodeFileSchema>;

/** The JSON Schema of a node file, as kept in docs/node-file.schema.json. */
export function nodeFileJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(nodeFileSchema, { io: "input" });
  return {
    ...schema,
    title: "prunelet node file",
    description:
      "What prunelet saw of a node at one moment: written by `prunelet snapshot`, read by `--snapshot FILE`.",
  };
}

/** What must be unique: anything else would silently lose one of two entries. */
function refuseTwins(namespaces: readonly z.output<typeof namespace>[], context: z.RefinementCtx): void {
  const refuse = (path: PropertyKey[], what: string) =>
    context.addIssue({ code: "custom", path, message: `a ${what} that no earlier entry has` });
  for (const index of twins(namespaces, (entry) => entry.name ?? "default")) refuse([index, "name"], "namespace");
  for (const [at, entry] of namespaces.entries()) {
    for (const index of twins(entry.names ?? [], (one) => one.name)) refuse([at, "names", index, "name"], "name");
    for (const index of twins(entry.images ?? [], (one) => one.target))
      refuse([at, "images", index, "target"], "target");
    const given = entry.containers ?? [];
    for (const index of twins(given, (one) => one.id || undefined))
      refuse([at, "containers", index, "id"], "container ID");
  }
}

function twins<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string | undefined): number[] {
  const seen = new Set<string>();
  return [...entries.keys()].filter((index) => {
    const key = keyOf(entries[index] as Entry);
    const twin = key !== undefined && seen.has(key);
    if (key !== undefined) seen.add(key);
    return twin;
  });
}
