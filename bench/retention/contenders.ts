// Who is compared: prunelet as it is configured by default and in other settings, its peers, and the clairvoyant.
import { toPolicy } from "../../src/config/policy.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { OrderName } from "../../src/decide/order.ts";
import type { Watermark } from "../../src/decide/watermarks.ts";
import { ageOnly } from "./policies/age-only.ts";
import { belady } from "./policies/belady.ts";
import type { RetentionPolicy } from "./policies/caretaker.ts";
import { docuum } from "./policies/docuum.ts";
import { kubelet, kubeletWithEviction } from "./policies/kubelet.ts";
import {
  type Between,
  largeAndIdleFirst,
  lateFirst,
  leastRecentlyUsed,
  ordered,
  rarelyUsedFirst,
  supersededSooner,
} from "./policies/ordered.ts";
import { type PruneletSettings, prunelet } from "./policies/prunelet.ts";
import { days, hours } from "./units.ts";

const config = configSchema.parse({});

/** What an untouched configuration says, with fewer routine rounds: each of them costs the simulation time and changes little. */
export const pruneletDefaults: PruneletSettings = {
  policy: toPolicy(config, 0),
  marks: { bytes: config.pressure, inodes: config.pressure.inodes },
  check: config.pressure.check,
  interval: hours(1),
};

/** Longer than any trace: routine rounds remove nothing, and only pressure does. */
const never = days(365);

export interface Changes {
  /** Default: never. */
  readonly unusedFor?: number;
  /** Shares of the disk. Default: those of the configuration. */
  readonly marks?: Between;
  readonly order?: OrderName;
}

/** Prunelet with some settings changed. */
export function configured(name: string, { unusedFor = never, marks, order }: Changes): RetentionPolicy {
  const { policy } = pruneletDefaults;
  const { bytes, inodes } = { bytes: config.pressure, inodes: config.pressure.inodes };
  const changed = marks === undefined ? bytes : { ...bytes, high: share(marks.high), low: share(marks.low) };
  return prunelet(name, {
    ...pruneletDefaults,
    policy: { ...policy, unusedFor, order: order ?? policy.order },
    marks: { bytes: changed, inodes },
  });
}

function share(value: number): Watermark {
  return { kind: "used-share", share: value };
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
const narrow = { high: 0.8, low: 0.78 };
const order = "superseded-sooner";

/** The first is the one that the chart is about. */
export const contenders: readonly Contender[] = [
  { kind: "default", policy: prunelet("prunelet, defaults", pruneletDefaults) },
  { kind: "setting", policy: configured("prunelet, unused for 7 d", { unusedFor: days(7) }) },
  { kind: "setting", policy: configured("prunelet, pressure only", {}) },
  { kind: "setting", policy: configured("prunelet, pressure only, 80/78", { marks: narrow }) },
  { kind: "setting", policy: configured("prunelet, superseded sooner", { order }) },
  { kind: "setting", policy: configured("prunelet, superseded sooner, 80/78", { marks: narrow, order }) },
  { kind: "peer", policy: kubelet },
  { kind: "peer", policy: kubeletWithEviction },
  { kind: "peer", policy: docuum },
  { kind: "peer", policy: ageOnly(days(1)) },
  { kind: "limit", policy: belady(0.8) },
  { kind: "limit", policy: belady(1) },
  { kind: "order", policy: ordered("least recently used", leastRecentlyUsed, standard) },
  { kind: "order", policy: ordered("superseded tags sooner", supersededSooner, standard) },
  { kind: "order", policy: ordered("late ones first", lateFirst, standard) },
  { kind: "order", policy: ordered("rarely used first, aged", rarelyUsedFirst, standard) },
  { kind: "order", policy: ordered("large and idle first", largeAndIdleFirst, standard) },
];
