// Who is compared: prunelet as it is configured by default and in other settings, its peers, and the clairvoyant.
import { toPolicy } from "../../src/config/policy.ts";
import { configSchema } from "../../src/config/schema.ts";
import { ageOnly } from "./policies/age-only.ts";
import { belady } from "./policies/belady.ts";
import type { RetentionPolicy } from "./policies/caretaker.ts";
import { docuum } from "./policies/docuum.ts";
import { kubelet, kubeletWithEviction } from "./policies/kubelet.ts";
import { type PruneletSettings, prunelet } from "./policies/prunelet.ts";
import { days } from "./units.ts";

const config = configSchema.parse({});

/** What an untouched configuration says. */
export const pruneletDefaults: PruneletSettings = {
  policy: toPolicy(config.policy, 0),
  marks: { bytes: config.pressure, inodes: config.pressure.inodes },
  check: config.pressure.check,
  interval: config.interval,
};

/** Longer than any trace: routine rounds remove nothing, and only pressure does. */
const never = days(365);

/** Only pressure removes images, the least recently used first, between marks of these shares. */
export function underPressure(name: string, high: number, low: number): RetentionPolicy {
  const { marks, policy } = pruneletDefaults;
  if (marks === undefined) throw new Error("pressure is off by default");
  const share = (value: number) => ({ kind: "used-share", share: value }) as const;
  const bytes = { ...marks.bytes, high: share(high), low: share(low) };
  return prunelet(name, {
    ...pruneletDefaults,
    policy: { ...policy, unusedFor: never },
    marks: { ...marks, bytes },
  });
}

export interface Contender {
  readonly policy: RetentionPolicy;
  /** What it is in the chart; absent when it is in the tables only. */
  readonly line?: "own" | "peer" | "limit";
}

export const contenders: readonly Contender[] = [
  { policy: prunelet("prunelet, defaults", pruneletDefaults), line: "own" },
  { policy: underPressure("prunelet, pressure only", 0.8, 0.7), line: "own" },
  { policy: underPressure("prunelet, pressure only 80/78", 0.8, 0.78) },
  { policy: kubelet, line: "peer" },
  { policy: kubeletWithEviction, line: "peer" },
  { policy: docuum, line: "peer" },
  { policy: ageOnly(days(1)), line: "peer" },
  { policy: belady(0.8), line: "limit" },
  { policy: belady(1) },
];
