// Pruning 500 unused images, against the tools that people use for it today.
import { installCrictl } from "../scripts/crictl.mjs";
import type { Benchmark, Figure } from "./benchmark.ts";
import { containerdPeers } from "./peers-containerd.ts";
import { dockerPeers } from "./peers-docker.ts";

export const peers: Benchmark = {
  name: "peers",
  title: "Pruning, against crictl and docker",
  async run(context) {
    const count = context.quick ? 60 : 500;
    const figures: Figure[] = [];
    const { path: crictl, missing } = installCrictl();
    if (crictl === undefined) context.log(`without crictl: ${missing}`);
    else {
      const lines = [
        { line: "1.6", bystanders: false },
        { line: "2.1", bystanders: true },
      ] as const;
      for (const { line, bystanders } of lines) {
        figures.push(...(await containerdPeers(line, { context, crictl, count, bystanders })));
      }
    }
    for (const store of ["overlay2", "containerd"] as const) {
      figures.push(...(await dockerPeers({ version: "28", store }, { context, count })));
    }
    return figures;
  },
};
