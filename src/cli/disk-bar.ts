// The bar of a disk: what is used and by what, what a plan would free, and how far pressure would go.
import { stripVTControlCharacters } from "node:util";
import { takeInventory } from "../decide/inventory.ts";
import type { Plan } from "../decide/plan.ts";
import { formatBytes } from "../report/bytes.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";
import type { Look } from "./terminal.ts";

/** A disk and what is on it, in bytes. The parts add up to the capacity. */
export interface DiskUse {
  readonly path: string;
  readonly capacity: number;
  readonly used: number;
  /** Images that something uses. */
  readonly inUse: number;
  /** Images that nothing uses and that stay all the same. */
  readonly kept: number;
  /** What the plan would free. */
  readonly reclaimable: number;
  /** Whatever is no image, or is not known to be one. */
  readonly other: number;
  readonly free: number;
  /** Use down to which pressure is relieved; undefined when it is not handled. */
  readonly target: number | undefined;
}

/** What a plan says of a disk. Where it says more than the disk holds (shared blobs, compression), the disk is right. */
export function diskUse(
  { path, capacityBytes, usedBytes }: FilesystemUsage,
  plan: Plan,
  target: number | undefined,
): DiskUse {
  const { bytes } = takeInventory(plan);
  const used = Math.min(usedBytes, capacityBytes);
  const inUse = Math.min(bytes.in_use, used);
  const reclaimable = Math.min(plan.plannedBytes, used - inUse);
  const staying = Math.max(0, bytes.kept + bytes.removable - plan.plannedBytes);
  const kept = Math.min(staying, used - inUse - reclaimable);
  const other = used - inUse - kept - reclaimable;
  return { path, capacity: capacityBytes, used, inUse, kept, reclaimable, other, free: capacityBytes - used, target };
}

interface Part {
  readonly label: string;
  readonly bytes: number;
  readonly block: string;
  readonly ascii: string;
  /** Code of a colour, see console_codes(4). */
  readonly color: number;
}

/** The bar between a line that says how full the disk is and one that explains the parts. */
export function diskBar(use: DiskUse, look: Look): string {
  const parts: readonly Part[] = [
    { label: "images in use", bytes: use.inUse, block: "█", ascii: "#", color: 34 },
    { label: "images kept", bytes: use.kept, block: "▓", ascii: "=", color: 36 },
    { label: "other", bytes: use.other, block: "▒", ascii: "+", color: 37 },
    { label: "this plan frees", bytes: use.reclaimable, block: "░", ascii: "-", color: 32 },
    { label: "free", bytes: use.free, block: "·", ascii: ".", color: 90 },
  ];
  const cells = cellsOf(parts, look, use);
  const share = Math.round((use.used / use.capacity) * 100);
  const title = `${use.path}: ${formatBytes(use.used)} of ${formatBytes(use.capacity)} used (${share} %)`;
  const legend = parts.map((part) => `${markOf(part, look)} ${part.label} ${formatBytes(part.bytes)}`);
  const target =
    use.target === undefined ? [] : [`${targetMark(look)} pressure frees down to ${formatBytes(use.target)}`];
  return [title, cells, ...wrapped([...legend, ...target], look)].join("\n");
}

function markOf({ block, ascii, color }: Part, look: Look, length = 1): string {
  return painted((look.unicode ? block : ascii).repeat(length), color, look);
}

function targetMark(look: Look): string {
  return painted(look.unicode ? "┃" : "|", 31, look);
}

function painted(text: string, color: number, look: Look): string {
  return look.color ? `\u001b[${color}m${text}\u001b[0m` : text;
}

/** Each cell shows the part in whose bytes its middle lies, so that the parts never add up to more than the bar. */
function cellsOf(parts: readonly Part[], look: Look, { capacity, target }: DiskUse): string {
  const width = Math.max(10, Math.min(look.width, 100));
  const ends: number[] = [];
  for (const { bytes } of parts) ends.push((ends.at(-1) ?? 0) + bytes);
  const targetCell = target === undefined ? -1 : Math.min(width - 1, Math.floor((target / capacity) * width));
  const cells = Array.from({ length: width }, (_, cell) => {
    if (cell === targetCell) return "target";
    const middle = ((cell + 0.5) / width) * capacity;
    const at = ends.findIndex((end) => middle < end);
    return parts[at < 0 ? parts.length - 1 : at] as Part;
  });
  return runsOf(cells)
    .map(([cell, length]) => (cell === "target" ? targetMark(look) : markOf(cell, look, length)))
    .join("");
}

/** Neighbours that are the same, with their number: a colour is switched on once for all of them. */
function runsOf<Cell>(cells: readonly Cell[]): (readonly [cell: Cell, length: number])[] {
  const starts = cells.flatMap((cell, at) => (at > 0 && cells[at - 1] === cell ? [] : [at]));
  return starts.map((start, i) => [cells[start] as Cell, (starts[i + 1] ?? cells.length) - start] as const);
}

/** As many entries to a line as there is room for. */
function wrapped(entries: readonly string[], look: Look): string[] {
  const lines: string[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (
      last !== undefined &&
      stripVTControlCharacters(last).length + 2 + stripVTControlCharacters(entry).length <= look.width
    ) {
      lines[lines.length - 1] = `${last}  ${entry}`;
    } else lines.push(entry);
  }
  return lines;
}
