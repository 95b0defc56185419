// The metrics as one table: names, types and labels are an interface. docs/metrics.md is generated from here.

export interface MetricRow {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in seconds. */
  readonly buckets?: readonly number[];
}

/** Every metric of prunelet, without the prefix `prunelet_`. */
export const metricTable = {
  imagesDeleted: counter("images_deleted_total", "Images whose last name was removed", ["reason"]),
  namesUntagged: counter("names_untagged_total", "Names (tags, digest references, ID names) removed", ["reason"]),
  removalFailures: counter("removal_failures_total", "Removals that failed", ["reason"]),
  reclaimedBytes: counter("reclaimed_bytes_total", "Bytes of content that was gone after the collection", []),
  reconciles: counter("reconciles_total", "Rounds by result: done, failed or skipped", ["result"]),
  skippedReconciles: counter(
    "skipped_reconciles_total",
    "Rounds in which nothing was removed because the node could not be seen clearly",
    ["reason"],
  ),
  imagesKept: counter("images_kept_total", "Images kept, counted once a round for each reason", ["reason"]),
  images: gauge("images", "Images by state: in_use, kept (unused, but a rule keeps them), removable", ["state"]),
  imageBytes: gauge("image_bytes", "Bytes of image content by state, shared content counted once", ["state"]),
  names: gauge("names", "Names by kind: tag, digest-reference, id, dangling, other", ["kind"]),
  filesystemCapacity: gauge("filesystem_capacity_bytes", "Size of a filesystem that holds images", ["path"]),
  filesystemUsed: gauge("filesystem_used_bytes", "Used bytes of a filesystem that holds images", ["path"]),
  filesystemInodes: gauge("filesystem_inodes", "Inodes of a filesystem that holds images", ["path"]),
  filesystemInodesUsed: gauge("filesystem_inodes_used", "Used inodes of a filesystem that holds images", ["path"]),
  filesystemVisible: gauge(
    "filesystem_visible",
    "0 when the filesystem that holds the images cannot be judged, so that pressure is not handled; else 1",
    [],
  ),
  rounds: counter("rounds_total", "Rounds of the agent by what began them", ["trigger"]),
  brakes: counter(
    "brakes_total",
    "Plans of which a limit held something back: max-removals, max-fraction, backoff, outside-window",
    ["code"],
  ),
  pressureLevel: gauge("pressure_level", "0 below the high mark, 1 above it, 2 above the emergency mark", ["path"]),
  pressureDemandBytes: gauge("pressure_demand_bytes", "Bytes that must be freed now to relieve pressure", ["path"]),
  pressureDemandInodes: gauge("pressure_demand_inodes", "Inodes that must be freed now to relieve pressure", ["path"]),
  pressureShortfallBytes: gauge(
    "pressure_shortfall_bytes",
    "Bytes above the low mark that the last episode could not free; 0 again when there is no pressure any more",
    ["path"],
  ),
  pressureEpisodes: counter(
    "pressure_episodes_total",
    "Episodes of pressure by result: relieved, or unrelieved (still above the high mark, and nothing left to remove)",
    ["result"],
  ),
  pressureHeldBytes: gauge(
    "pressure_held_bytes",
    "What held the space after the last episode of pressure: in_use, pinned, young, kept (by rules), other (no images)",
    ["by"],
  ),
  lastSuccess: gauge(
    "last_successful_reconcile_timestamp_seconds",
    "Unix time of the last round without a failure",
    [],
  ),
  podsSynced: gauge("pods_synced", "1 when the pods of this node are known well enough to remove anything", []),
  configReloads: counter(
    "config_reloads_total",
    "Changed configurations by result: loaded, or refused (the one before holds on)",
    ["result"],
  ),
  configLastReload: gauge("config_last_reload_successful", "1 when the newest configuration is the one that holds", []),
  auditWriteFailures: counter("audit_write_failures_total", "Attempts to write the audit file that failed", []),
  auditLinesLost: counter(
    "audit_lines_lost_total",
    "Lines of the audit file that could not be kept until it could be written again",
    [],
  ),
  buildInfo: gauge("build_info", "Always 1; says what runs", ["version", "runtime", "runtime_version"]),
  reconcileDuration: histogram(
    "reconcile_duration_seconds",
    "Duration of a round",
    [],
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  ),
  removalDuration: histogram(
    "removal_duration_seconds",
    "Duration of the removal of one name, its checks included",
    [],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
  ),
  runtimeCallDuration: histogram(
    "runtime_call_duration_seconds",
    "Duration of one call to the container runtime",
    ["call"],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
  ),
} as const satisfies Record<string, MetricRow>;

function counter<const Labels extends readonly string[]>(name: string, help: string, labels: Labels) {
  return { name, type: "counter", help, labels } as const;
}

function gauge<const Labels extends readonly string[]>(name: string, help: string, labels: Labels) {
  return { name, type: "gauge", help, labels } as const;
}

function histogram<const Labels extends readonly string[]>(
  name: string,
  help: string,
  labels: Labels,
  buckets: readonly number[],
) {
  return { name, type: "histogram", help, labels, buckets } as const;
}
