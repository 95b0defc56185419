// A filesystem that hangs: nobody waits for it for ever, and it is not asked again and again.
import { expect, it } from "vitest";
import { type ProbedFilesystem, patientProbe } from "../../src/runtime/filesystems.ts";

const usage = { path: "/images", capacityBytes: 10, usedBytes: 5, inodes: 1, inodesUsed: 1 };

it("a filesystem that does not answer in time counts as one that cannot be seen, and is asked once until it answers", async () => {
  const answers: ((probed: ProbedFilesystem) => void)[] = [];
  const probe = patientProbe(() => new Promise((resolve) => answers.push(resolve)), 20);

  expect(await Promise.all([probe("/images"), probe("/images")])).toEqual([undefined, undefined]);
  expect(await probe("/images")).toBeUndefined();
  expect(answers).toHaveLength(1);

  const last = probe("/images");
  answers[0]?.({ device: 1, usage });
  expect(await last).toEqual({ device: 1, usage });
});
