// Who is compared: prunelet as it is configured by default and in other settings, its peers, and the clairvoyant.
import { toPolicy } from "../../src/config/policy.ts";
import { configSchema } from "../../src/config/schema.ts";
import { ageOnly } from "./policies/age-only.ts";
import { belady } from "./policies/belady.ts";
import type { RetentionPolicy } from "./policies/caretaker.ts";
import { docuum } from "./policies/docuum.ts";
import { kubelet, kubeletWithEviction } from "./policies/kubelet.ts";
import {
  largeAndIdleFirst,
  lateFirst,
  leastRecentlyUsed,
  ordered,
  rarelyUsedFirst,
  supersededSooner,
} from "./policies/ordered.ts";
import { type PruneletSettings, prunelet } from "./policies/prunelet.ts";
import { days } from "./units.ts";

const config = configSchema.parse({});

/** What an untouched configuration says. */
export const pruneletDefaults: PruneletSettings = {
  policy: toPolicy(config, 0),
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
  /**
   * `default`: what prunelet does untouched. `setting`: prunelet otherwise configured. `peer`: what others do. `limit`: what
   * cannot be had. `order`: a model of prunelet's pressure rounds with another order, which is no strategy of it.
   */
  readonly kind: "default" | "setting" | "peer" | "limit" | "order";
}

const standard = { high: 0.8, low: 0.7 };

/** The first is the one that the chart is about. */
export const contenders: readonly Contender[] = [
  { kind: "default", policy: prunelet("prunelet, defaults", pruneletDefaults) },
  { kind: "setting", policy: underPressure("prunelet, pressure only", 0.8, 0.7) },
  { kind: "setting", policy: underPressure("prunelet, pressure only 80/78", 0.8, 0.78) },
  { kind: "peer", policy: kubelet },
  { kind: "peer", policy: kubeletWithEviction },
  { kind: "peer", policy: docuum },
  { kind: "peer", policy: ageOnly(days(1)) },
  { kind: "limit", policy: belady(0.8) },
  { kind: "limit", policy: belady(1) },
  { kind: "order", policy: ordered("least recently used", leastRecentlyUsed, standard) },
  { kind: "order", policy: ordered("superseded tags sooner", supersededSooner, standard) },
  { kind: "order", policy: ordered("superseded tags sooner, 80/78", supersededSooner, { high: 0.8, low: 0.78 }) },
  { kind: "order", policy: ordered("late ones first", lateFirst, standard) },
  { kind: "order", policy: ordered("rarely used first, aged", rarelyUsedFirst, standard) },
  { kind: "order", policy: ordered("large and idle first", largeAndIdleFirst, standard) },
];
