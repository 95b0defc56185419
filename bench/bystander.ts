// Somebody who only wants to start containers while images are being removed: one every 200 ms, through CRI, timed.
import { setTimeout as sleep } from "node:timers/promises";
import type { Containerd } from "../test/support/daemons/containerd.ts";
import { connectCri } from "../test/support/daemons/cri-client.ts";
import { busyboxImage } from "../test/support/oci/busybox.ts";
import { waitFor } from "../test/support/wait.ts";
import { namespace } from "./store/wire.ts";

const every = 200;
const image = "registry.example.com/bystander:1";
/** What test daemons call the image of pod sandboxes. */
const pause = "localhost/pause:none";

/** Milliseconds to create and start each container, from now until `work` has ended and at least `atLeast` were started. */
export async function timesBeside(
  daemon: Containerd,
  atLeast: number,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const busybox = busyboxImage({ labels: { app: "bystander" } });
  await daemon.import(busybox, { namespace, names: [image, pause] });
  const cri = await connectCri(daemon);
  try {
    await waitFor("CRI to know the bystander's image", async () => {
      const { image: found } = await cri.image.imageStatus({ image: { image } });
      return found !== undefined;
    });
    const pod = await cri.runPod("bystander");
    const start = async (name: string): Promise<string> => {
      const container = await cri.createContainer(pod, image, { name });
      await cri.start(container);
      return container;
    };
    // Keeps the image in use between two of the others.
    await start("resident");
    const times: number[] = [];
    let over = false;
    const working = work().finally(() => {
      over = true;
    });
    for (let i = 0; !over || times.length < atLeast; i += 1) {
      const startedAt = performance.now();
      const container = await start(`guest-${i}`);
      const took = performance.now() - startedAt;
      times.push(took);
      await cri.stop(container);
      await cri.remove(container);
      await sleep(Math.max(0, every - (performance.now() - startedAt)));
    }
    await working;
    return times;
  } finally {
    cri.close();
  }
}

/** The value that 99 of 100 do not exceed. */
export function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? Number.NaN;
}
