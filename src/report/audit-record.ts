// The lines of the audit file: what each of them holds, and how they are read back. docs/audit.md lists the fields.
import * as z from "zod";

/** What made a removal happen. */
export const everyMode = ["routine", "pressure", "emergency", "budget", "remove-list", "requested"] as const;

/** Which way the removal was started: by the agent, or by a person's command. */
export const everyCommand = ["run", "prune", "rmi"] as const;

const origin = {
  /** ISO 8601, UTC. */
  time: z.string(),
  /** Name of the node in Kubernetes, else the host's name. */
  node: z.string(),
  runtime: z.string(),
  command: z.enum(everyCommand),
};

const image = {
  ...origin,
  /** The same for an intent and for every line that tells what became of it. */
  id: z.string(),
  namespace: z.string(),
  mode: z.enum(everyMode),
  reason: z.string(),
  /** The image ID. */
  image: z.string(),
  /** What the names point to. */
  target: z.string(),
  /** Every digest that means the image. */
  digests: z.array(z.string()).readonly(),
  lastUsed: z.string().nullable(),
};

const bytes = {
  /** Bytes that the removal was expected to free, given what goes before it. */
  bytes: z.number(),
  /** Bytes that removing this image alone would have freed. */
  aloneBytes: z.number(),
};

/** True when a later start found out what had become of it. */
const recovered = z.boolean().optional();

const schemas = {
  /** Written before the first name of an image is touched. */
  intent: z.object({
    event: z.literal("intent"),
    ...image,
    ...bytes,
    /** Process that wrote it. */
    pid: z.number(),
    /** The reason in words. */
    detail: z.string(),
    /** The names that are to go. */
    names: z.array(z.string()).readonly(),
    /** True when the image goes with them. */
    deletes: z.boolean(),
  }),
  /** A name is gone. */
  untagged: z.object({ event: z.literal("untagged"), ...image, name: z.string(), recovered }),
  /** An image is gone: its last name went. */
  deleted: z.object({
    event: z.literal("deleted"),
    ...image,
    ...bytes,
    names: z.array(z.string()).readonly(),
    recovered,
  }),
  /** A name of an intent that was not removed after all, and why. */
  left: z.object({
    event: z.literal("left"),
    ...image,
    name: z.string(),
    result: z.string(),
    message: z.string(),
    recovered,
  }),
  /** What a whole round or command freed, as measured after the collection. */
  freed: z.object({ event: z.literal("freed"), ...origin, bytes: z.number(), plannedBytes: z.number() }),
  /** Lines that could not be kept until the file could be written again. */
  lost: z.object({ event: z.literal("lost"), ...origin, lines: z.number() }),
} as const;

const recordSchema = z.discriminatedUnion("event", [
  schemas.intent,
  schemas.untagged,
  schemas.deleted,
  schemas.left,
  schemas.freed,
  schemas.lost,
]);

/** One line of the audit file. */
export type AuditRecord = Readonly<z.infer<typeof recordSchema>>;

/** One line of a certain kind. */
export type AuditRecordOf<Event extends AuditRecord["event"]> = Extract<AuditRecord, { event: Event }>;

/** What every line about an image says of it. */
export type AuditedImage = Pick<
  AuditRecordOf<"intent">,
  "namespace" | "mode" | "reason" | "image" | "target" | "digests" | "lastUsed" | "bytes" | "aloneBytes"
>;

/** The record that a line holds; undefined for a torn line and for one that a later version wrote in another way. */
export function parseAuditLine(line: string): AuditRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
