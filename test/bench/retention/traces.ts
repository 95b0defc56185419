// Traces made by hand and at random for the tests of the simulator: small, and with exactly the sharing that a test is about.
import fc from "fast-check";
import { Catalogue, type CataloguedImage } from "../../../bench/retention/catalogue.ts";
import { Random } from "../../../bench/retention/random.ts";
import type { Restart, Trace } from "../../../bench/retention/trace.ts";
import { hours, minutes } from "../../../bench/retention/units.ts";
import type { PodStart } from "../../../bench/retention/workload.ts";

/** MiB of packed layers of one image; `on` makes it share all layers of an earlier image. */
export interface ImagePlan {
  readonly layers: readonly number[];
  readonly on?: number;
  readonly repository?: string;
}

/** Minutes from the beginning of the trace. */
export interface StartPlan {
  readonly image: number;
  readonly at: number;
  readonly lasts: number;
}

export interface TracePlan {
  readonly images: readonly ImagePlan[];
  readonly starts: readonly StartPlan[];
  readonly restarts?: readonly Restart[];
}

export function traceOf({ images, starts, restarts = [] }: TracePlan): Trace {
  const catalogue = new Catalogue(new Random(1), 0);
  const made: CataloguedImage[] = [];
  images.forEach(({ layers, on, repository }, i) => {
    const below = on === undefined ? [] : (made[on]?.layers ?? []);
    const stacked = catalogue.stack(below, layers);
    made.push(catalogue.image({ repository: repository ?? `image-${i}`, tag: `v${i}`, layers: stacked, builtAt: i }));
  });
  const pods = starts.flatMap(({ image, at, lasts }): PodStart[] => {
    const found = made[image];
    const from = minutes(at);
    return found === undefined ? [] : [{ at: from, until: from + minutes(lasts), image: found, service: false }];
  });
  const sorted = pods.toSorted((a, b) => a.at - b.at);
  const to = Math.max(hours(1), ...pods.map(({ until }) => until)) + hours(1);
  return { seed: 1, from: 0, to, images: made, layers: catalogue.layers, starts: sorted, restarts };
}

/** Starts one after the other, at least `spacing` minutes apart. */
function startsArbitrary(images: number, spacing: number): fc.Arbitrary<readonly StartPlan[]> {
  const one = fc.record({
    image: fc.nat(images - 1),
    wait: fc.integer({ min: spacing, max: spacing + 600 }),
    lasts: fc.integer({ min: 1, max: 90 }),
  });
  return fc.array(one, { minLength: 5, maxLength: 80 }).map((list) => {
    let at = 0;
    return list.map(({ image, wait, lasts }) => {
      at += wait;
      return { image, at, lasts };
    });
  });
}

const imageCount = 12;

/** Images of 100 MiB in four repositories that share nothing, pods that seldom overlap. */
export const equalImagesArbitrary: fc.Arbitrary<Trace> = startsArbitrary(imageCount, 30).map((starts) =>
  traceOf({
    images: Array.from({ length: imageCount }, (_, i) => ({ layers: [100], repository: `of-${i % 4}` })),
    starts,
  }),
);

/** Images of different sizes, most of which stand on others. */
export const sharedImagesArbitrary: fc.Arbitrary<Trace> = fc
  .record({
    images: fc.array(
      fc.record({
        layers: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 }),
        on: fc.option(fc.nat(imageCount - 1), { nil: undefined }),
        repository: fc.constantFrom("one", "two", "three"),
      }),
      { minLength: imageCount, maxLength: imageCount },
    ),
    starts: startsArbitrary(imageCount, 15),
  })
  .map(({ images, starts }) => {
    // At most four deep: no image is larger than the disks of the tests allow.
    const depth: number[] = [];
    const shallow = images.map(({ layers, on, repository }, i): ImagePlan => {
      const parent = on === undefined || on >= i || (depth[on] ?? 0) >= 3 ? undefined : on;
      depth.push(parent === undefined ? 0 : (depth[parent] ?? 0) + 1);
      return parent === undefined ? { layers, repository } : { layers, on: parent, repository };
    });
    return traceOf({ images: shallow, starts });
  });
