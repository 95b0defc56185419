// How full the disk of the images is, and what the settings make of it, for the loop and for people.
import type { Config } from "../config/schema.ts";
import type { Demand } from "../decide/demand.ts";
import { demandOf, mostUsed } from "../decide/watermarks.ts";
import { usageOf } from "../runtime/own-root.ts";
import type { FilesystemUsage } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";
import type { Session } from "./compose.ts";

/** When pressure is noticed; undefined when it is not handled. */
export function toPressure({ enabled, high, low, emergency, inodes, check, path }: Config["pressure"]) {
  if (!enabled) return undefined;
  return { watermarks: { bytes: { high, low, emergency }, inodes }, check, path };
}

/** Milliseconds for the runtime to tell where its images are. */
const patience = 10_000;

/** The filesystems of the images, as far as they can be seen: that they cannot is no reason to show nothing else. */
export async function visibleDisks(
  session: Session,
  { path }: Config["pressure"],
): Promise<readonly FilesystemUsage[]> {
  try {
    if (path !== undefined && session.origin === "live") return [await usageOf(path, path)];
    return await session.runtime.filesystems({ timeoutMs: patience });
  } catch (error) {
    if (error instanceof RuntimeError || (error instanceof Error && "code" in error)) return [];
    throw error;
  }
}

/** What the agent would have to free now on the fullest of these disks; undefined when nothing. */
export function demandNow(config: Config["pressure"], disks: readonly FilesystemUsage[]): Demand | undefined {
  const pressure = toPressure(config);
  if (pressure === undefined) return undefined;
  const demands = disks.flatMap((disk) => demandOf(disk, pressure.watermarks, false) ?? []);
  return demands.toSorted((one, other) => weight(other) - weight(one))[0];
}

function weight({ mode, bytes, inodes }: Demand): number {
  return (mode === "emergency" ? 2 ** 60 : 0) + bytes + inodes;
}

/** Bytes down to which pressure frees a disk; undefined when it is not handled. */
export function targetOf(config: Config["pressure"], { capacityBytes }: FilesystemUsage): number | undefined {
  const pressure = toPressure(config);
  return pressure === undefined ? undefined : mostUsed(pressure.watermarks.bytes.low, capacityBytes);
}
