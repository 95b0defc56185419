// What the kubelet does: one CRI RemoveImage after the other, each of which waits for a collection over the whole store.
import { connectCri } from "../test/support/daemons/cri-client.ts";
import { type BenchContext, type Benchmark, type Figure, median, medianFigure } from "./benchmark.ts";
import { measureProgram } from "./process-usage.ts";
import { pruneArguments } from "./prunelet.ts";
import type { FilledNode } from "./store/filled-node.ts";

const sample = 60;

export const kubelet: Benchmark = {
  name: "kubelet",
  title: "Removing images as the kubelet does, on a sample",
  async run(context) {
    const figures: Figure[] = [];
    for (const count of context.quick ? [200] : [1_000, 5_000]) figures.push(...(await compare(count, context)));
    return figures;
  },
};

async function compare(count: number, context: BenchContext): Promise<readonly Figure[]> {
  const calls = await context.nodes.with(count, removeSample);
  context.log(`CRI RemoveImage with ${count} images: ${median(calls).toFixed(3)} s each`);
  const own = await context.nodes.with(count, ({ daemon }) =>
    measureProgram(process.execPath, [context.program, ...pruneArguments(daemon)]),
  );
  context.log(`prunelet prune of ${count} images: ${own.seconds.toFixed(2)} s`);
  const perImage = own.seconds / count;
  return [
    medianFigure(`${count} images: RemoveImage, one image`, "s", calls),
    { what: `${count} images: prunelet prune, all of them`, unit: "s", value: own.seconds },
    { what: `${count} images: prunelet prune, one image`, unit: "s", value: perImage },
    { what: `${count} images: RemoveImage / prunelet`, unit: "x", value: median(calls) / perImage },
  ];
}

/** Seconds of each call. The sample is spread over the whole store. */
async function removeSample({ daemon, images }: FilledNode): Promise<readonly number[]> {
  const cri = await connectCri(daemon);
  try {
    const seconds: number[] = [];
    const step = Math.max(1, Math.floor(images.length / sample));
    for (const image of images.filter((_, i) => i % step === 0).slice(0, sample)) {
      const startedAt = performance.now();
      await cri.image.removeImage({ image: { image: image.config } });
      seconds.push((performance.now() - startedAt) / 1000);
    }
    return seconds;
  } finally {
    cri.close();
  }
}
