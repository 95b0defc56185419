// The JSON of `plan` and `prune` as its readers know it: written down here again, because the field names are an interface.

export interface PruneReport {
  readonly runtime: { readonly kind: string; readonly version: string };
  readonly dryRun: boolean;
  readonly untagged: readonly string[];
  readonly deleted: readonly string[];
  readonly kept: readonly {
    readonly name: string;
    readonly image: string;
    readonly namespace: string;
    readonly reasons: readonly { readonly code: string; readonly detail: string }[];
  }[];
  readonly failed: readonly { readonly name: string; readonly reason: string; readonly message: string }[];
  readonly leftAlone: readonly { readonly name: string; readonly result: string; readonly message: string }[];
  readonly images: readonly { readonly target: string; readonly ageMs?: number; readonly lastUsed?: string }[];
  /** How full the disks were at that moment. */
  readonly disks: readonly object[];
  readonly plannedBytes: number;
  readonly reclaimedBytes: number;
  readonly durationMs: number;
}

/** The reason codes for which a name was kept; empty when it was not kept. */
export function reasonCodes(report: PruneReport, name: string): readonly string[] {
  return report.kept.filter((kept) => kept.name === name).flatMap(({ reasons }) => reasons.map(({ code }) => code));
}
