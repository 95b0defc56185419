// The kinds of values that settings have, each with its check and with what is said when it is wrong.
import * as z from "zod";
import { InvalidPatternError, parsePattern } from "../decide/image-pattern.ts";
import { readFilters } from "./filters.ts";
import {
  durationForm,
  durationShape,
  parseDuration,
  parseShare,
  parseSize,
  shareForm,
  shareShape,
  sizeForm,
  sizeShape,
} from "./units.ts";

/** The error of a value that is something else than `form` says. */
export const isNot = (form: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `is ${JSON.stringify(input)}: expected ${form}`,
});

/** A duration as people write it; milliseconds as value. `min` and `max` are the shortest and the longest that are allowed. */
export const duration = ({ min = "0", max }: { readonly min?: string; readonly max?: string } = {}) => {
  const shortest = parseDuration(min) ?? 0;
  const longest = max === undefined ? Number.POSITIVE_INFINITY : (parseDuration(max) ?? 0);
  const limits = [...(shortest === 0 ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])];
  const form = [durationForm, ...limits].join(", ");
  // YAML reads a bare 0 as a number: it needs no unit, so it needs no quotes either.
  return z
    .union([z.string().regex(durationShape, isNot(form)), z.literal(0)], isNot(form))
    .transform((text, context) => {
      const milliseconds = parseDuration(String(text));
      if (milliseconds !== undefined && milliseconds >= shortest && milliseconds <= longest) return milliseconds;
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(text)}: expected ${form}` });
      return z.NEVER;
    });
};

/** A share as number from 0 to 1, written as such or in percent. */
export const share = () =>
  z
    .union(
      [z.number().min(0, isNot(shareForm)).max(1, isNot(shareForm)), z.string().regex(shareShape, isNot(shareForm))],
      isNot(shareForm),
    )
    .transform((value, context) => {
      const found = typeof value === "number" ? value : parseShare(value);
      if (found !== undefined) return found;
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(value)}: expected ${shareForm}` });
      return z.NEVER;
    });

/** Text of a certain shape; `form` says which. */
const shaped = (shape: RegExp, form: string) => z.string().regex(shape, isNot(form));

const port = String.raw`(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])`;

/** An address to listen on. */
export const listen = shaped(new RegExp(`^.*:${port}$`), "host:port, e.g. 0.0.0.0:9095");

/** The address of a runtime: a unix socket, or a Docker Engine behind TCP. */
export const endpoint = shaped(
  /^(unix:\/\/\/.+|(tcp|https?):\/\/[^/]+\/?)$/,
  "unix:// and an absolute path, e.g. unix:///run/containerd/containerd.sock, or for a Docker Engine tcp://host:port or https://host:port",
);

/** Patterns of the keep and the remove list. */
export const patterns = z.array(
  z.string().superRefine((text, context) => {
    try {
      parsePattern(text);
    } catch (error) {
      if (!(error instanceof InvalidPatternError)) throw error;
      context.addIssue({ code: "custom", message: `is wrong: ${error.message}` });
    }
  }),
);

/** Filters of what may go. */
export const filters = z.array(z.string()).superRefine((texts, context) => {
  for (const { index, message } of readFilters(texts, 0).problems) {
    context.addIssue({ code: "custom", path: index === undefined ? [] : [index], message: `is wrong: ${message}` });
  }
});

/** Bytes, as a size such as people write it. */
export const size = () =>
  z
    .union([z.string().regex(sizeShape, isNot(sizeForm)), z.number().int().min(1, isNot(sizeForm))], isNot(sizeForm))
    .transform((value, context) => {
      const bytes = typeof value === "number" ? value : parseSize(value);
      if (bytes !== undefined && bytes > 0) return bytes;
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(value)}: expected ${sizeForm}` });
      return z.NEVER;
    });

/** Patterns of namespaces of pods. */
export const podNamespaces = z.array(
  z.string().regex(/^[a-z0-9*?-]+$/, isNot("a namespace of pods such as ci or team-*")),
);

const labelForm = 'a label value, a list of them, or "*" for any (put true, false and numbers into quotes)';

/** What a node's labels have to be. */
export const labelMatch = z.record(
  z.string().min(1),
  z.union([z.string(), z.array(z.string()).min(1)], isNot(labelForm)),
);
