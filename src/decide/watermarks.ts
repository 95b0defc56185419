// How full a filesystem may get, and what must be freed when it is fuller. Pure arithmetic over one look at a filesystem.
import type { Demand } from "./demand.ts";

/** One mark: a share that is used, from 0 to 1, or an amount (bytes, inodes) that is free. */
export type Watermark =
  | { readonly kind: "used-share"; readonly share: number }
  | { readonly kind: "free-amount"; readonly amount: number };

/** Above `high` is pressure, which is relieved down to `low`; above `emergency` ages count no more. */
export interface Marks {
  readonly high: Watermark;
  readonly low: Watermark;
  readonly emergency: Watermark;
}

/** The marks of a filesystem for its two resources. */
export interface Watermarks {
  readonly bytes: Marks;
  readonly inodes: Marks;
}

/** How full a filesystem is. A filesystem that counts no inodes has 0 of them. */
export interface Fill {
  readonly path: string;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

type Resource = keyof Watermarks;

/**
 * What must be freed now; undefined when nothing must. An episode begins above `high` and, once begun, goes on down to `low`.
 * In an emergency the demand reaches to `high` only: ages are ignored for no more than what ends the danger.
 */
export function demandOf(fill: Fill, marks: Watermarks, begun: boolean): Demand | undefined {
  const found = (["bytes", "inodes"] as const).map((resource) => excess(fill, marks, { resource, begun }));
  const [bytes, inodes] = found;
  const worst = found.find((one) => one?.mode === "emergency") ?? bytes ?? inodes;
  if (worst === undefined) return undefined;
  const because = found.flatMap((one) => one?.because ?? []).join(", ");
  return { mode: worst.mode, bytes: bytes?.amount ?? 0, inodes: inodes?.amount ?? 0, because };
}

interface Excess {
  readonly mode: "pressure" | "emergency";
  readonly amount: number;
  readonly because: string;
}

function excess(
  fill: Fill,
  watermarks: Watermarks,
  { resource, begun }: { readonly resource: Resource; readonly begun: boolean },
): Excess | undefined {
  const { capacity, used } = sizesOf(fill, resource);
  if (capacity <= 0) return undefined;
  const marks = watermarks[resource];
  const [low, high, emergency] = [marks.low, marks.high, marks.emergency].map((mark) => mostUsed(mark, capacity));
  const mode = used > Number(emergency) ? "emergency" : "pressure";
  if (used <= Number(begun ? low : high)) return undefined;
  const amount = Math.ceil(used - Number(mode === "emergency" ? high : low));
  const mark = describeMark(mode === "emergency" ? marks.emergency : used > Number(high) ? marks.high : marks.low);
  return { mode, amount, because: `${percent(used / capacity)} of ${resource} used on ${fill.path}, above ${mark}` };
}

/** The most that may be used under a mark. */
export function mostUsed(mark: Watermark, capacity: number): number {
  return mark.kind === "used-share" ? capacity * mark.share : Math.max(0, capacity - mark.amount);
}

function sizesOf(fill: Fill, resource: Resource): { readonly capacity: number; readonly used: number } {
  if (resource === "bytes") return { capacity: fill.capacityBytes, used: fill.usedBytes };
  return { capacity: fill.inodes, used: fill.inodesUsed };
}

/** Where the kubelet begins to collect images by itself, and where it begins to evict pods, as shares of bytes (its defaults). */
const kubeletHigh = 0.85;

/** What makes marks useless on this filesystem, one line each. Marks of one kind are compared when they are read; this is for the rest. */
export function contradictions(fill: Fill, watermarks: Watermarks): readonly string[] {
  return (["bytes", "inodes"] as const).flatMap((resource) => {
    const { capacity } = sizesOf(fill, resource);
    const { low, high, emergency } = watermarks[resource];
    if (capacity <= 0) return [];
    const most = (mark: Watermark) => mostUsed(mark, capacity);
    const of = `of ${resource} on ${fill.path}`;
    if (most(low) >= most(high))
      return [`the low mark (${describeMark(low)}) ${of} is not below the high mark (${describeMark(high)})`];
    if (most(emergency) <= most(high))
      return [
        `the emergency mark (${describeMark(emergency)}) ${of} is not above the high mark (${describeMark(high)})`,
      ];
    return most(high) === 0 ? [`the high mark (${describeMark(high)}) ${of} is never reached: it is smaller`] : [];
  });
}

/** A line when the kubelet would act before prunelet does; undefined when it does not. */
export function kubeletActsFirst({ path, capacityBytes }: Fill, { bytes }: Watermarks): string | undefined {
  if (capacityBytes <= 0 || mostUsed(bytes.high, capacityBytes) <= capacityBytes * kubeletHigh) return undefined;
  const mark = describeMark(bytes.high);
  return `the high mark (${mark}) of ${path} is above the 85 % at which a kubelet with default settings removes images: the kubelet acts first, and it forgets ages when it restarts`;
}

/** A mark as people write it. */
export function describeMark(mark: Watermark): string {
  return mark.kind === "used-share" ? percent(mark.share) : `${mark.amount} free`;
}

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10}%`;
}
