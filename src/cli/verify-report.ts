// What `verify` says: the JSON, and the page for people.
import { createUserFinder } from "../decide/image-users.ts";
import type { Digest } from "../image/digest.ts";
import type { NodeState } from "../image/node-state.ts";
import { formatBytes } from "../report/bytes.ts";
import { printable } from "../report/printable.ts";
import type { BlobProblem, ImageToVerify, VerifyResult } from "../verify/verify.ts";
import { containerText, imageTitle, podText } from "./image-text.ts";
import { count } from "./plan-table.ts";

/** An image that a damaged blob belongs to. */
export interface AffectedImage {
  readonly namespace: string;
  /** The image ID. */
  readonly id: Digest;
  readonly target: Digest;
  readonly names: readonly string[];
  readonly containers: readonly { readonly id: string; readonly state: string; readonly pod: string | null }[];
  readonly pods: readonly { readonly namespace: string; readonly name: string; readonly phase: string }[];
}

export interface VerifyReport {
  readonly runtime: NodeState["runtime"];
  readonly images: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly discarded: number;
  readonly notFetched: number;
  readonly collected: number;
  readonly problems: readonly {
    readonly digest: Digest;
    readonly role: BlobProblem["role"];
    readonly problem: BlobProblem["problem"];
    readonly size: number | null;
    readonly readBytes: number;
    readonly foundDigest: string | null;
    readonly images: readonly AffectedImage[];
  }[];
  readonly durationMs: number;
}

export interface VerifyReportInput {
  readonly state: NodeState;
  readonly result: VerifyResult;
  readonly durationMs: number;
}

/** Builds the report: field names are an interface. */
export function verifyReport({ state, result, durationMs }: VerifyReportInput): VerifyReport {
  const affected = affectedBy(state);
  const { images, blobs, bytes, discarded, notFetched, collected } = result;
  return {
    runtime: state.runtime,
    images,
    blobs,
    bytes,
    discarded,
    notFetched,
    collected,
    problems: result.problems.map(({ digest, role, problem, size, readBytes, foundDigest, images: needing }) => ({
      digest,
      role,
      problem,
      size: size ?? null,
      readBytes,
      foundDigest: foundDigest ?? null,
      images: needing.map(affected),
    })),
    durationMs,
  };
}

function affectedBy(state: NodeState): (image: ImageToVerify) => AffectedImage {
  const usersOf = createUserFinder(state);
  return ({ namespace, image: { id, target } }) => {
    const names = state.namespaces.find(({ name }) => name === namespace)?.names ?? [];
    const { containers, pods } = usersOf(namespace, target);
    return {
      namespace,
      id,
      target,
      names: names.filter((name) => name.target === target).map(({ name }) => name),
      containers: containers.map((container) => ({
        id: container.id,
        state: container.state,
        pod: container.pod ?? null,
      })),
      pods: pods.map((pod) => ({ namespace: pod.namespace, name: pod.name, phase: pod.phase })),
    };
  };
}

/** The report for people: each problem with what it concerns, then the totals. */
export function verifyTable(report: VerifyReport): string {
  const problems = report.problems.flatMap((problem) => [
    `${problem.problem}  ${problem.role} ${problem.digest}${detailOf(problem)}`,
    ...problem.images.flatMap(affectedLines),
  ]);
  const aside = [
    report.discarded === 0 ? "" : `${count(report.discarded, "layer")} discarded after unpacking`,
    report.notFetched === 0 ? "" : `${count(report.notFetched, "blob")} of other platforms not fetched`,
    report.collected === 0 ? "" : `${count(report.collected, "blob")} removed meanwhile`,
  ].filter((text) => text !== "");
  const found = report.problems.length === 0 ? "all as their digests say" : count(report.problems.length, "problem");
  const read = `read ${count(report.blobs, "blob")} of ${count(report.images, "image")}, ${formatBytes(report.bytes)}`;
  const total = `${read}: ${found}${aside.length === 0 ? "" : `; ${aside.join(", ")}`}`;
  return [...problems, ...(problems.length === 0 ? [] : ["", mend]), total].map(printable).join("\n");
}

const mend =
  "To mend an image, remove it and pull it again (`prunelet rmi`, then the pull); containers that run go on from unpacked layers.";

function detailOf({ problem, size, readBytes, foundDigest }: VerifyReport["problems"][number]): string {
  if (problem === "truncated") return ` (${readBytes} of ${size} bytes)`;
  return problem === "altered" ? ` (its bytes are ${foundDigest})` : "";
}

function affectedLines({ names, id, namespace, containers, pods }: AffectedImage): string[] {
  const users = [...containers.map(containerText), ...pods.map(podText)];
  return [`    of ${imageTitle(names, id)} in ${namespace}`, ...users.map((user) => `        used by ${user}`)];
}
