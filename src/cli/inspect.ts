// `prunelet inspect REF`: one image, whole: names, digests, bytes, users, and the verdict with every reason.
import { type ImageIndex, type IndexedImage, indexImages } from "../decide/image-index.ts";
import type { ImageVerdict } from "../decide/plan.ts";
import { shortIdHex } from "../image/image-id.ts";
import type { NodeState } from "../image/node-state.ts";
import { formatReference, tryParseReference, withDefaultTag } from "../image/reference.ts";
import { stripRuntimeScheme } from "../image/runtime-spelling.ts";
import { planRound } from "../reconcile/round.ts";
import { formatBytes } from "../report/bytes.ts";
import { podsReady, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags } from "./flags.ts";
import { sizeOf } from "./image-rows.ts";
import { print } from "./output.ts";

/** Runs the command and returns its exit code. */
export function inspectCommand([reference = ""]: readonly string[], flags: CommonFlags & PolicyFlags): Promise<number> {
  return withSession(flags, async ({ session, policy }) => {
    await podsReady(session);
    const result = await planRound({ ...session, policy });
    if (result.kind === "failed") throw result.error;
    if (result.kind === "skipped")
      throw new CommandError(`no verdict without the pods of this node: ${result.message}`);
    const found = findImages(result.state, reference);
    if (found.length === 0)
      throw new CommandError(`no such image: ${reference}; \`prunelet images\` lists those there are`);
    const verdicts = result.plan.images.filter((verdict) => found.some((match) => isSame(match, verdict)));
    const pages = verdicts.map((verdict) => page(verdict, result.state));
    print(flags.output, pages.length === 1 ? pages[0] : pages, () => pages.map(pageText).join("\n\n"));
    return exitCode.done;
  });
}

interface Match {
  readonly namespace: string;
  readonly entry: IndexedImage;
}

function isSame(match: Match, verdict: ImageVerdict): boolean {
  return match.namespace === verdict.namespace && match.entry.image.target === verdict.image.target;
}

/** The images that a reference means, one at most in each namespace. Throws when it is ambiguous within one. */
function findImages(state: NodeState, text: string): Match[] {
  return state.namespaces.flatMap((namespace) => {
    const index = indexImages(namespace);
    const targets = findInNamespace(index, text);
    const entries = targets.flatMap((target) => index.byTarget.get(target) ?? []);
    if (new Set(entries.map(({ image }) => image.id)).size > 1) throw ambiguous(text, entries);
    return entries.map((entry) => ({ namespace: namespace.name, entry }));
  });
}

/** A name wins over an ID, a whole ID over a prefix: the order in which Docker looks an image up. */
function findInNamespace(index: ImageIndex, text: string) {
  const parsed = tryParseReference(stripRuntimeScheme(text));
  const full = parsed === undefined ? text : formatReference(withDefaultTag(parsed));
  const named = index.byName.get(text) ?? index.byName.get(full);
  if (named !== undefined) return [named.target];
  const byDigest = index.targetsOf(text);
  if (byDigest.length > 0) return byDigest;
  const hex = shortIdHex(text);
  return hex === undefined ? [] : index.targetsByHexPrefix(hex);
}

function ambiguous(text: string, entries: readonly IndexedImage[]): CommandError {
  const candidates = entries.map(({ image, names }) => `${image.id} (${names[0]?.name ?? "no name"})`);
  return new CommandError(
    `${text} is ambiguous: it may mean ${candidates.join(" or ")}; write more digits`,
    exitCode.usage,
  );
}

function page({ namespace, image, names, action, reasons, bytes }: ImageVerdict, state: NodeState) {
  const containers = state.namespaces.find((candidate) => candidate.name === namespace)?.containers ?? [];
  const usedBy = reasonsOf(names).filter(({ code }) => code.startsWith("used-by"));
  return {
    namespace,
    id: image.id,
    target: image.target,
    digests: image.digests,
    names: names.map((verdict) => ({ name: verdict.name, action: verdict.action, reasons: verdict.reasons })),
    createdAt: image.createdAt === undefined ? null : new Date(image.createdAt).toISOString(),
    pinned: image.pinned,
    labels: image.labels ?? null,
    size: sizeOf(image),
    aloneBytes: bytes,
    usedBy: [...new Set(usedBy.map(({ detail }) => detail))],
    containers: containers
      .filter(({ imageId }) => image.digests.some((digest) => imageId.endsWith(digest)))
      .map(({ id, state: running, pod }) => ({ id, state: running, pod: pod ?? null })),
    verdict: action,
    reasons,
  };
}

function reasonsOf(names: ImageVerdict["names"]): readonly { readonly code: string; readonly detail: string }[] {
  return names.flatMap((verdict): readonly { code: string; detail: string }[] => [...verdict.reasons]);
}

function pageText(image: ReturnType<typeof page>): string {
  const lines = [
    `Image      ${image.id}`,
    `Namespace  ${image.namespace}`,
    `Verdict    ${image.verdict}`,
    ...image.reasons.map(({ code, detail }) => `           ${code}: ${detail}`),
    `Size       ${formatBytes(image.size)}, of which ${formatBytes(image.aloneBytes)} would be freed by removing it alone`,
    `Created    ${image.createdAt ?? "unknown"}${image.pinned ? ", pinned" : ""}`,
    "Digests",
    ...image.digests.map(
      (digest) => `  ${digest}${digest === image.target ? " (target)" : ""}${digest === image.id ? " (image ID)" : ""}`,
    ),
    "Names",
    ...image.names.flatMap((name) => [
      `  ${name.name}: ${name.action}`,
      ...name.reasons.map(({ code, detail }) => `      ${code}: ${detail}`),
    ]),
  ];
  return lines.join("\n");
}
