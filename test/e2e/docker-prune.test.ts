// `docker image prune` on a real Docker Engine and our plan for the same state: in compat form the same names and images go;
// in strict form, which prunelet uses, nothing goes that stays there, and no image goes that a container uses, not even when
// containerd alone is asked.
import { expect, test } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { type LabelFilter, parseLabelFilter } from "../../src/decide/label-filter.ts";
import { makePlan, type Plan } from "../../src/decide/plan.ts";
import { removeAllUnused, type Semantics } from "../../src/decide/policy.ts";
import { isDanglingName } from "../../src/image/image-id.ts";
import type { NamespaceState } from "../../src/image/node-state.ts";
import { compareBytes } from "../../src/image/order.ts";
import { familiarName, tryParseReference } from "../../src/image/reference.ts";
import { type Prune, prunes } from "../support/daemons/docker-prunes.ts";
import { type DockerStage, describeDocker } from "../support/daemons/docker-stage.ts";

describeDocker("docker image prune and our plan", "28", (stage) => {
  test.each(prunes.map((prune) => [prune.title, prune] as const))("%s", async (_, prune) => {
    await stage().set(prune);
    const before = await stage().observe();
    const [compat, strict] = [planOf(before, prune, "compat"), planOf(before, prune, "strict")];
    const inContainerd = planOf(await stage().observeContainerd(), prune, "strict");

    const { stdout } = await stage().docker.docker("image", "prune", "--force", ...flagsOf(prune));

    const stays = fullNames(stage(), prune.stays);
    expect(await stage().names()).toEqual(stays);
    expect(entries(stdout, "deleted")).toEqual(prune.deletes.map((text) => stage().fill(text)).sort());
    expect(namesOf(compat, "keep")).toEqual(stays);
    expect(shownUntagged(compat)).toEqual(entries(stdout, "untagged"));
    expect(deletedBy(compat)).toEqual(
      entries(stdout, "deleted").filter((digest) => !isPlatform(stage(), digest, prune)),
    );
    expect(namesOf(strict, "keep")).toEqual(fullNames(stage(), [...prune.stays, ...(prune.staysToo ?? [])]));
    expect(keptTargets(inContainerd)).toEqual(expect.arrayContaining([...usedTargets(stage(), before, prune)]));
  });
});

function planOf(namespace: NamespaceState, { danglingOnly = false, filter }: Prune, semantics: Semantics): Plan {
  const labels = filter === undefined ? [] : [filterOf(filter)];
  return makePlan({
    state: {
      takenAt: Date.now(),
      runtime: { kind: "docker", version: "28" },
      namespaces: [namespace],
      foreignBlobs: [],
      pods: null,
    },
    history: emptyHistory("record-time"),
    policy: { ...removeAllUnused, semantics, danglingOnly, labels },
  });
}

function filterOf(text: string): LabelFilter {
  const [kind = "", ...condition] = text.split(/(?<=^label!?)=/);
  const filter = parseLabelFilter(condition.join("="), kind.endsWith("!"));
  if (filter === undefined) throw new Error(`${text} is no label filter`);
  return filter;
}

function flagsOf({ danglingOnly, filter }: Prune): readonly string[] {
  return [...(danglingOnly ? [] : ["--all"]), ...(filter === undefined ? [] : ["--filter", filter])];
}

function fullNames(stage: DockerStage, names: readonly string[]): readonly string[] {
  return names.map((name) => stage.full(name)).sort(compareBytes);
}

/** What the command lists below "Deleted Images:", sorted: its order is not defined. */
function entries(stdout: string, what: "untagged" | "deleted"): readonly string[] {
  const prefix = `${what}: `;
  const lines = stdout.split("\n").filter((line) => line.startsWith(prefix));
  return lines.map((line) => line.slice(prefix.length)).sort();
}

function namesOf(plan: Plan, action: "keep" | "untag"): readonly string[] {
  const verdicts = plan.images.flatMap(({ names }) => names);
  return verdicts
    .filter((verdict) => verdict.action === action)
    .map(({ name }) => name)
    .sort(compareBytes);
}

/** The names that go in the words of the command: short, a dangling record by its digest. */
function shownUntagged(plan: Plan): readonly string[] {
  const going = plan.images.flatMap(({ names }) => names).filter(({ action }) => action === "untag");
  return going.map(({ name, target }) => (isDanglingName(name, target) ? target : shortName(name))).sort();
}

function shortName(name: string): string {
  const reference = tryParseReference(name);
  return reference === undefined ? name : familiarName(reference);
}

/** The engine lists the index of a multi-platform image and each of its manifests; to us it is one image. */
function isPlatform(stage: DockerStage, digest: string, { names }: Prune): boolean {
  return names.some(([image]) => image === "M") && digest !== stage.fill("{M}");
}

/** The images that containers run or have mounted. */
function usedTargets(stage: DockerStage, { names, containers }: NamespaceState, prune: Prune): readonly string[] {
  const mounts = (prune.containers ?? []).flatMap(({ mount }) => (mount === undefined ? [] : [stage.full(mount)]));
  const mounted = mounts.flatMap((mount) => names.find(({ name }) => name === mount)?.target ?? []);
  return [...containers.map(({ imageId }) => imageId), ...mounted];
}

function keptTargets(plan: Plan): readonly string[] {
  return plan.images.filter(({ action }) => action === "keep").map(({ image }) => image.target);
}

function deletedBy(plan: Plan): readonly string[] {
  return plan.images
    .filter(({ action }) => action === "delete")
    .map(({ image }) => image.target)
    .sort();
}
