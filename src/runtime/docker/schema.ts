// The boundary: what the engine answers becomes a typed value here, or is refused. Only what is used is looked at.
import * as z from "zod";
import { type Digest, isDigest } from "../../image/digest.ts";
import type { ContainerState, Instant } from "../../image/node-state.ts";
import { RuntimeError } from "../runtime-error.ts";

/** Reads an answer. Throws `unavailable` for one that is cut off, `internal` for one that is not what was asked for. */
export function readAnswer<Value>(schema: z.ZodType<Value>, text: string, operation: string): Value {
  const checked = schema.safeParse(parseJson(text, operation));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const where = issue?.path.join(".") || "the whole";
  throw new RuntimeError(
    "internal",
    operation,
    `the engine's answer cannot be used: ${where}: ${issue?.message ?? ""}`,
  );
}

function parseJson(text: string, operation: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = "the engine's answer is cut off or no JSON: it stopped meanwhile, or something else answers there";
    throw new RuntimeError("unavailable", operation, message, error);
  }
}

/** Docker writes `sha256:` before an ID, Podman not everywhere. */
const digest = z
  .string()
  .transform((text) => (/^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text))
  .refine((text) => isDigest(text), { error: "no digest" })
  .transform((text) => text as Digest);

const maybeDigest = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === null || text === "" ? undefined : digest.safeParse(text).data));

/** Engines before API 1.43 write `<none>:<none>` where there is no name. */
const names = z
  .array(z.string())
  .nullish()
  .transform((all) => (all ?? []).filter((name) => !name.includes("<none>")));

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** Go writes its zero time where there is none. */
const time = z
  .string()
  .nullish()
  .transform((value): Instant | undefined => {
    const instant = Date.parse(value ?? "");
    return Number.isNaN(instant) || instant <= 0 ? undefined : instant;
  });

const descriptor = z.object({ digest: maybeDigest, mediaType: text }).nullish();

const manifest = z.object({
  ID: maybeDigest,
  Kind: text,
  Available: z.boolean().nullish(),
  Size: z.object({ Content: z.number().nullish() }).nullish(),
  ImageData: z.object({ Platform: z.object({ os: text, architecture: text }).nullish() }).nullish(),
});

/** One entry of `GET /images/json`. */
export const imageSummary = z.object({
  Id: digest,
  ParentId: maybeDigest,
  RepoTags: names,
  RepoDigests: names,
  Created: z.number().nullish(),
  Size: z.number().nullish(),
  SharedSize: z.number().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Descriptor: descriptor,
  Manifests: z.array(manifest).nullish(),
});
export const imageList = z
  .array(imageSummary)
  .nullish()
  .transform((all) => all ?? []);
export type ImageSummary = z.output<typeof imageSummary>;

/** `GET /images/{name}/json`. */
export const imageDetail = z.object({
  Id: digest,
  RepoTags: names,
  RepoDigests: names,
  Metadata: z.object({ LastTagTime: time }).nullish(),
});
export type ImageDetail = z.output<typeof imageDetail>;

const containerStates: Readonly<Record<string, ContainerState>> = {
  created: "created",
  configured: "created",
  initialized: "created",
  running: "running",
  restarting: "running",
  stopping: "running",
  paused: "paused",
  exited: "exited",
  stopped: "exited",
  removing: "exited",
  dead: "exited",
};

/** One entry of `GET /containers/json`. */
export const containerList = z
  .array(
    z.object({
      Id: z.string().min(1),
      Image: text,
      ImageID: maybeDigest,
      /** Seconds since the epoch. */
      Created: z.number().nullish(),
      State: text.transform((state): ContainerState => containerStates[state.toLowerCase()] ?? "unknown"),
    }),
  )
  .nullish()
  .transform((all) => all ?? []);
export type ContainerSummary = z.output<typeof containerList>[number];

const mounts = z
  .array(z.object({ Type: text, Source: text }))
  .nullish()
  .transform((all) => (all ?? []).filter(({ Type }) => Type === "image").map(({ Source }) => Source));

/** `GET /containers/{id}/json`. What was asked for is in `HostConfig`: in `Mounts` the source may already be a folder. */
export const containerDetail = z.object({
  Config: z.object({ Image: text }).nullish(),
  HostConfig: z.object({ Mounts: mounts }).nullish(),
  Mounts: mounts,
});

/** `GET /info`. */
export const info = z.object({
  ServerVersion: text,
  Driver: text,
  DriverStatus: z.array(z.array(z.string())).nullish(),
  DockerRootDir: text,
  Containerd: z.object({ Address: text }).nullish(),
});
export type Info = z.output<typeof info>;

/** `DELETE /images/{name}`: each element has one of the two. */
export const removalAnswer = z
  .array(z.object({ Untagged: text, Deleted: text }))
  .nullish()
  .transform((all) => (all ?? []).map(({ Untagged }) => Untagged).filter((name) => name !== ""));

/** `GET /system/df`, up to API 1.51. */
export const diskUsage = z.object({ LayersSize: z.number().nullish() });

/** One line of `GET /events`. Before API 1.22 the action was called `status`. */
export const engineEvent = z.object({ Type: text, Action: text, status: text });
