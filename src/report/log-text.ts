// The log for people: one line an event, digests shortened, fields as words. JSON logs keep everything.
import { printable } from "./printable.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Turns the fields of a log record into one readable line. */
export function readableMessage(record: Fields, messageKey: string): string {
  const message = String(record[messageKey] ?? "");
  return printable(shorten(sentences[message]?.(record) ?? `${message}${restOf(record, messageKey)}`));
}

const sentences: Readonly<Record<string, (fields: Fields) => string>> = {
  untagged: ({ name, reason }) => `untagged ${name} (${reason})`,
  deleted: ({ image, reason }) => `deleted  image ${image} (${reason})`,
  "space is needed": ({ because, mode }) => `${because}: space is needed (${mode})`,
  "pressure relieved": ({ because, holds }) => `pressure relieved; it was ${because}; the space is held by ${holds}`,
  "pressure could not be relieved": ({ because, holds }) =>
    `pressure could not be relieved: ${because}; nothing is left to remove, the space is held by ${holds}`,
  "round done": roundSentence,
  "round partly failed": (fields) =>
    `round partly failed, ${fields["failed"]} removals failed: ${roundSentence(fields)}`,
};

function roundSentence(fields: Fields): string {
  const images = fields["images"] as Readonly<Record<string, number>>;
  const did = `${fields["untagged"]} names untagged, ${fields["deleted"]} images deleted, ${fields["reclaimed"]} freed`;
  return `round done: ${did} (planned ${fields["planned"]}); ${images["in_use"]} images in use, ${images["kept"]} more kept; ${fields["durationMs"]} ms`;
}

const standard = new Set(["level", "time", "pid", "hostname"]);

function restOf(record: Fields, messageKey: string): string {
  const rest = Object.entries(record).filter(([key]) => key !== messageKey && !standard.has(key));
  if (rest.length === 0) return "";
  return `: ${rest.map(([key, value]) => (key === "cause" ? String(value) : `${key} ${text(value)}`)).join(", ")}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function shorten(line: string): string {
  return line.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1");
}
