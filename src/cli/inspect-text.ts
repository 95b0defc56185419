// The page of `inspect` for a tired person: the verdict first, then who uses the image, then everything else.
import { describeDuration } from "../decide/duration.ts";
import { formatBytes } from "../report/bytes.ts";
import { printable } from "../report/printable.ts";
import { containerText, imageTitle, podText, readableName } from "./image-text.ts";
import type { InspectPage } from "./inspect-page.ts";
import { count } from "./plan-table.ts";
import { reasonInWords } from "./reason-words.ts";

/** Other images that share content are listed up to this many. */
const mostSharing = 5;

/** The page as text. `now` is the moment of the look, in milliseconds since the epoch. */
export function pageText(page: InspectPage, now: number): string {
  const facts: readonly (readonly [string, string])[] = [
    ["Image", page.id],
    ["Namespace", page.namespace],
    ["Verdict", verdictText(page)],
    ["Size", sizeText(page)],
    ["Built", `${ageText(page.createdAt, now)}${page.platform === null ? "" : ` for ${page.platform}`}`],
    ["First seen", ageText(page.firstSeen, now)],
    ["Last used", lastUsedText(page, now)],
    ["Times used", page.timesUsed === null ? "unknown" : `${page.timesUsed}, as far as it was watched`],
    ["Pinned", page.pinned ? "yes, by the runtime" : "no"],
  ];
  const width = Math.max(...facts.map(([title]) => title.length));
  return [
    ...facts.map(([title, text]) => `${title.padEnd(width)}  ${text}`),
    ...section(
      "Why",
      page.reasons.map((reason) => `${reasonInWords(reason)}  (${reason.code})`),
    ),
    ...section("Used by", [...page.containers.map(containerText), ...page.pods.map(podText)], "nothing"),
    ...section("Names", page.names.flatMap(nameLines), "none"),
    ...section(
      "Digests",
      page.digestKinds.map(({ digest, kind }) => `${(kind ?? "digest").padEnd(8)} ${digest}${marks(page, digest)}`),
    ),
    ...section("Shares content with", sharingLines(page), "nothing"),
    ...section("Labels", labelLines(page)),
  ]
    .map(printable)
    .join("\n");
}

function section(title: string, lines: readonly string[], nothing?: string): string[] {
  if (lines.length === 0) return nothing === undefined ? [] : ["", title, `  ${nothing}`];
  return ["", title, ...lines.map((line) => `  ${line}`)];
}

function verdictText({ verdict, names }: InspectPage): string {
  if (verdict === "delete") return "would be deleted";
  const going = names.filter(({ action }) => action === "untag").length;
  return going === 0 ? "stays" : `stays; ${count(going, "spare name")} would go`;
}

function sizeText({ size, aloneBytes, sharedBytes, plannedBytes, verdict }: InspectPage): string {
  const planned = verdict === "delete" ? `, ${formatBytes(plannedBytes)} in this plan` : "";
  return `${formatBytes(size)}: ${formatBytes(aloneBytes)} freed by removing it alone${planned}, ${formatBytes(sharedBytes)} shared or held by others`;
}

const neverUsed = "not seen in use; counts from the first sight";

function lastUsedText({ inUse, lastUsed, lastUsedBy }: InspectPage, now: number): string {
  const when = inUse ? "in use now" : lastUsed === null ? neverUsed : ageText(lastUsed, now);
  return lastUsedBy.length === 0 ? when : `${when}, by pods of ${lastUsedBy.join(", ")}`;
}

function nameLines({ name, action, reasons }: InspectPage["names"][number]): string[] {
  const [first, ...others] = reasons.map(reasonInWords);
  return [
    `${action === "keep" ? "stays" : "goes "}  ${readableName(name)}`,
    ...[first, ...others].flatMap((reason) => (reason === undefined ? [] : [`         ${reason}`])),
  ];
}

function marks({ id, target }: InspectPage, digest: string): string {
  const texts = [...(digest === target ? ["the names point here"] : []), ...(digest === id ? ["image ID"] : [])];
  return texts.length === 0 ? "" : `  (${texts.join(", ")})`;
}

function sharingLines({ sharedWith, namespace }: InspectPage): string[] {
  const lines = sharedWith.slice(0, mostSharing).map((other) => {
    const where = other.namespace === namespace ? "" : ` in ${other.namespace}`;
    return `${formatBytes(other.bytes).padStart(8)}  ${imageTitle(other.names, other.id)}${where}`;
  });
  const more = sharedWith.length - lines.length;
  return more <= 0 ? lines : [...lines, `${count(more, "other image")}: -o json lists them all`];
}

function labelLines({ labels }: InspectPage): string[] {
  if (labels === null) return ["unknown: the image's config could not be read"];
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`);
}

function ageText(time: string | null, now: number): string {
  return time === null
    ? "unknown"
    : `${time.slice(0, 19).replace("T", " ")} UTC, ${describeDuration(now - Date.parse(time))} ago`;
}
