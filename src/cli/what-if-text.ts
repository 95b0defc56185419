// What other settings would change, for people: the numbers now and then, and what goes or stays.

import { shortHex } from "../image/digest.ts";
import { formatBytes } from "../report/bytes.ts";
import type { PlanChange, PlanDifference } from "../report/plan-difference.ts";
import { imageTitle, shortened } from "./image-text.ts";
import { renderTable } from "./output.ts";
import { count } from "./plan-table.ts";
import { mainReason } from "./reason-words.ts";

/** The answer to `--what-if`. */
export function whatIfText(written: readonly string[], { now, otherwise, changes }: PlanDifference): string {
  const plain = (value: number) => String(value);
  const rows = [
    numbers("images deleted", now.images, otherwise.images, plain),
    numbers("names removed", now.names, otherwise.names, plain),
    numbers("bytes freed", now.bytes, otherwise.bytes, formatBytes),
  ];
  const table = renderTable([`WHAT IF ${written.join(", ")}`, "NOW", "THEN", "DIFFERENCE"], rows);
  if (changes.length === 0) return `${table}\n\nnothing would change`;
  const list = renderTable(["CHANGE", "NAME", "IMAGE", "BYTES", "REASON THEN"], changes.map(changeRow));
  return `${table}\n\n${list}\n\n${summary(changes)}`;
}

function numbers(title: string, now: number, then: number, text: (value: number) => string): string[] {
  const sign = then > now ? "+" : then < now ? "-" : "";
  return [title, text(now), text(then), `${sign}${text(Math.abs(then - now))}`];
}

function changeRow({ change, names, image, whole, bytes, reasons }: PlanChange): string[] {
  const [first = "", ...others] = names;
  const title = whole
    ? imageTitle(names, image)
    : others.length === 0
      ? shortened(first)
      : `${shortened(first)} +${count(others.length, "name")}`;
  return [change, title, shortHex(image), whole ? formatBytes(bytes) : "name only", mainReason(reasons)];
}

function summary(changes: readonly PlanChange[]): string {
  const images = (change: PlanChange["change"]) => changes.filter((one) => one.whole && one.change === change).length;
  return `${count(images("goes"), "image")} more would go, ${count(images("stays"), "image")} fewer`;
}
