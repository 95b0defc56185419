// The sections of the configuration that say when rounds begin and how full the disk may get.
import * as z from "zod";
import type { Watermark } from "../decide/watermarks.ts";
import { duration, isNot } from "./fields.ts";
import { parseWatermark, watermarkForm, watermarkShape } from "./units.ts";
import { cronProblem, isTimeZone } from "./windows.ts";

const watermark = () =>
  z
    .union(
      [
        z.number().min(0, isNot(watermarkForm)).max(1, isNot(watermarkForm)),
        z.string().regex(watermarkShape, isNot(watermarkForm)),
      ],
      isNot(watermarkForm),
    )
    .transform((value, context): Watermark => {
      const found = typeof value === "number" ? { kind: "used-share" as const, share: value } : parseWatermark(value);
      if (found !== undefined) return found;
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(value)}: expected ${watermarkForm}` });
      return z.NEVER;
    });

type Marks = Readonly<Record<"high" | "low" | "emergency", Watermark>>;

/** Marks of one kind are compared here; a share and an amount only once the size of the filesystem is known. */
function compare({ low, high, emergency }: Marks, path: readonly string[], context: z.RefinementCtx): void {
  const problem = (key: string, message: string): void =>
    context.addIssue({ code: "custom", path: [...path, key], message });
  if (reaches(low, high)) problem("low", "is not below the high mark: give it less use, or more that is free");
  if (reaches(high, emergency))
    problem("emergency", "is not above the high mark: give it more use, or less that is free");
}

/** True when both are of one kind and the first is met with at least as much use as the second. */
function reaches(one: Watermark, other: Watermark): boolean {
  if (one.kind === "used-share") return other.kind === "used-share" && one.share >= other.share;
  return other.kind === "free-amount" && one.amount <= other.amount;
}

const inodes = z.strictObject({
  high: watermark().describe("Inodes above which images go, whatever their age").prefault("85%"),
  low: watermark().describe("Inodes down to which they go").prefault("75%"),
  emergency: watermark().describe("Inodes above which minAge counts no more").prefault("95%"),
});

/** How full the filesystem of the images may get. */
export const pressure = z
  .strictObject({
    enabled: z.boolean().describe("Free space when the filesystem that holds the images runs full").prefault(true),
    high: watermark()
      .describe("Use above which images go, whatever their age: a share in use or an amount that is free (20Gi free)")
      .prefault("80%"),
    low: watermark().describe("Use down to which they go").prefault("70%"),
    emergency: watermark()
      .describe("Use above which minAge and keepPerRepository count no more; uses, pins and keep patterns always do")
      .prefault("92%"),
    inodes: inodes.prefault({}),
    check: duration({ min: "1s" }).describe("Time between two looks at the filesystem").prefault("30s"),
    path: z
      .string()
      .regex(/^\//, isNot("an absolute path"))
      .describe("A directory on the filesystem of the images, when prunelet cannot find it out by itself")
      .optional(),
  })
  .superRefine((found, context) => {
    compare(found, [], context);
    compare(found.inodes, ["inodes"], context);
  });

/** What begins rounds besides the interval. */
export const triggers = z.strictObject({
  events: z.boolean().describe("New images and containers that come and go begin a round").prefault(true),
  quiet: duration({ min: "100ms" })
    .describe("A round begins when there was no such event for this long")
    .prefault("10s"),
  spacing: duration({ min: "1s" }).describe("Time from one round to one that events begin, at least").prefault("2m"),
});

const window = z.strictObject({
  cron: z
    .string()
    .superRefine((text, context) => {
      const problem = cronProblem(text);
      if (problem !== undefined)
        context.addIssue({ code: "custom", message: `is ${JSON.stringify(text)}: ${problem}` });
    })
    .describe("When the window opens: minute, hour, day, month, day of week"),
  duration: duration({ min: "1m" }).describe("How long it stays open"),
  timeZone: z
    .string()
    .refine(isTimeZone, isNot("a time zone such as Europe/Berlin"))
    .describe("The time zone of the expression")
    .prefault("UTC"),
});

/** When routine rounds may remove. */
export const windows = z.array(window);
