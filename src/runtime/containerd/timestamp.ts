// Times on the wire.
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Instant } from "../../image/node-state.ts";

/** Seconds of the daemon's zero time, the first of January of year 1: it means that nobody set a time. */
const neverSet = -62_135_596_800n;

/** A protobuf timestamp in milliseconds since the Unix epoch; undefined when there is none. */
export function toInstant(timestamp: Timestamp | undefined): Instant | undefined {
  if (!timestamp || timestamp.seconds <= neverSet) return undefined;
  return Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000);
}
