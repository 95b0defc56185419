// `prunelet verify [REF...]`: reads the content of images and compares it with its digests. Changes nothing.
import { parseRate, rateForm } from "../config/units.ts";
import { indexImages } from "../decide/image-index.ts";
import type { NodeState } from "../image/node-state.ts";
import { podsNow } from "../observe/observe-node.ts";
import { type ImageToVerify, verifyImages } from "../verify/verify.ts";
import { type CommandContext, podsReady, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import { findImages, tellProblems } from "./find-images.ts";
import type { CommonFlags } from "./flags.ts";
import { print } from "./output.ts";
import { count } from "./plan-table.ts";
import { createProgress } from "./progress.ts";
import { stopSignal } from "./signals.ts";
import { verifyReport, verifyTable } from "./verify-report.ts";

export interface VerifyFlags extends CommonFlags {
  readonly rate?: string;
}

/** Runs the command and returns its exit code. */
export function verifyCommand(references: readonly string[], flags: VerifyFlags): Promise<number> {
  const rate = flags.rate === undefined ? undefined : rateOf(flags.rate);
  return withSession(flags, async ({ session, report }) => {
    if (session.origin !== "live") {
      const message = "a captured or simulated node has no content to read: verify works on the node itself";
      throw new CommandError(message, exitCode.usage);
    }
    await podsReady(session);
    const observed = await session.runtime.observe();
    const pods = podsNow(session.pods);
    if (pods.kind === "refused") {
      report({ kind: "notice", level: "warn", message: `pods are not named as users: ${pods.message}` });
    }
    const state: NodeState = {
      takenAt: session.clock.now(),
      ...observed,
      pods: pods.kind === "refused" ? null : pods.pods,
    };
    const found = references.length === 0 ? everyImage(state) : chosenImages(state, references);
    const startedAt = performance.now();
    const result = await readContent(session, found.images, rate);
    const data = verifyReport({ state, result, durationMs: Math.round(performance.now() - startedAt) });
    print(flags.output, data, () => verifyTable(data));
    return Math.max(found.code, result.problems.length > 0 ? exitCode.failed : exitCode.done);
  });
}

function rateOf(text: string): number {
  const rate = parseRate(text);
  if (rate === undefined) throw new CommandError(`--rate ${text} is no rate: write ${rateForm}`, exitCode.usage);
  return rate;
}

interface Chosen {
  readonly images: readonly ImageToVerify[];
  readonly code: number;
}

function everyImage(state: NodeState): Chosen {
  const images = state.namespaces.flatMap((namespace) =>
    indexImages(namespace).images.map(({ image }) => ({ namespace: namespace.name, image })),
  );
  return { images, code: exitCode.done };
}

function chosenImages(state: NodeState, references: readonly string[]): Chosen {
  const { images, problems, code } = findImages(state, references);
  tellProblems(problems);
  if (images.length === 0) throw new CommandError("nothing was read: no reference means an image", code);
  return { images: images.map(({ namespace, entry }) => ({ namespace, image: entry.image })), code };
}

async function readContent(
  { runtime, clock }: CommandContext["session"],
  images: readonly ImageToVerify[],
  rate: number | undefined,
) {
  const stop = stopSignal();
  const progress = createProgress(process.stderr, () => performance.now());
  try {
    return await verifyImages({
      images,
      runtime,
      clock,
      signal: stop.signal,
      ...(rate === undefined ? {} : { rate }),
      onProgress: ({ readBytes, totalBytes, problems }) =>
        progress.update(readBytes, totalBytes, problems === 0 ? "" : `, ${count(problems, "problem")}`),
    });
  } finally {
    progress.clear();
    stop.release();
  }
}
