// Images whose removal failed wait longer each time before it is tried again. In memory: a restart begins anew.
import type { NameOutcome, Outcome } from "../act/outcome.ts";
import type { Digest } from "../image/digest.ts";

interface Failing {
  readonly failures: number;
  readonly until: number;
  readonly message: string;
}

/** Milliseconds after the first failure; doubled by each further one. */
const first = 60_000;
/** The longest wait in milliseconds: six hours. */
const longest = 21_600_000;

/** What an image's failures say, by namespace and target. */
type Waiting = ReadonlyMap<string, ReadonlyMap<Digest, string>>;

export class RemovalBackoff {
  readonly #failing = new Map<string, Map<Digest, Failing>>();

  /** Learns from a round: a failure doubles the wait, a removal ends it. */
  learn({ names }: Outcome, now: number): void {
    for (const [namespace, ofNamespace] of Map.groupBy(names, (name) => name.namespace)) {
      for (const [target, outcomes] of Map.groupBy(ofNamespace, (name) => name.target)) {
        this.#learnOne(namespace, { target, outcomes, now });
      }
    }
  }

  /** The images that must wait at `now`, each with the reason in words. */
  waiting(now: number): Waiting {
    const waiting = new Map<string, Map<Digest, string>>();
    for (const [namespace, images] of this.#failing) {
      // Long after its time an image is gone, or its failures are no longer in a row.
      for (const [target, { until }] of images) if (until + longest < now) images.delete(target);
      const lines = [...images].flatMap(([target, failing]): [Digest, string][] =>
        isWaiting(failing, now) ? [[target, describe(failing)]] : [],
      );
      if (lines.length > 0) waiting.set(namespace, new Map(lines));
    }
    return waiting;
  }

  #learnOne(
    namespace: string,
    { target, outcomes, now }: { target: Digest; outcomes: readonly NameOutcome[]; now: number },
  ): void {
    const images = this.#failing.get(namespace) ?? new Map<Digest, Failing>();
    this.#failing.set(namespace, images);
    const failed = outcomes.map(({ result }) => result).find((result) => result.kind === "failed");
    if (failed === undefined) {
      if (outcomes.some(({ result }) => result.kind !== "skipped")) images.delete(target);
      return;
    }
    // A runtime that is away says nothing about the image.
    if (failed.reason === "unavailable") return;
    const failures = (images.get(target)?.failures ?? 0) + 1;
    const until = now + Math.min(longest, first * 2 ** (failures - 1));
    images.set(target, { failures, until, message: failed.message });
  }
}

/** No wait is longer than the longest: what seems to be was set by a clock that has been set back since. */
function isWaiting({ until }: Failing, now: number): boolean {
  return until > now && until <= now + longest;
}

function describe({ failures, until, message }: Failing): string {
  const times = failures === 1 ? "failed" : `failed ${failures} times in a row`;
  return `its removal ${times} (${message}), tried again after ${new Date(until).toISOString()}`;
}
