// Times on the wire.
import type { Instant } from "../../image/node-state.ts";

/** A protobuf timestamp. */
export interface TimeOnWire {
  /** Since the Unix epoch. */
  readonly seconds: number;
  readonly nanos: number;
}

/** Seconds of the daemon's zero time, the first of January of year 1: it means that nobody set a time. */
const neverSet = -62_135_596_800;

/** A time in milliseconds since the Unix epoch; undefined when nobody set one. */
export function instantOf({ seconds, nanos }: TimeOnWire): Instant | undefined {
  return seconds <= neverSet ? undefined : seconds * 1000 + Math.floor(nanos / 1_000_000);
}
