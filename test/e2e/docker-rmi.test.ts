// `docker rmi` on a real Docker Engine and our removal of the same thing on the same state: the same names and images go, in
// the same order, or the same message refuses.
import { expect, test } from "vitest";
import { applyRemoval, planRemoval } from "../../src/decide/removal.ts";
import type { RemovalPlan, RemovalUse } from "../../src/decide/removal-types.ts";
import type { Digest } from "../../src/image/digest.ts";
import type { Container, NamespaceState } from "../../src/image/node-state.ts";
import { formatReference, parseReference, withDefaultTag } from "../../src/image/reference.ts";
import type { Removal } from "../support/daemons/docker-removal.ts";
import { removals } from "../support/daemons/docker-removals.ts";
import { removalsInUse } from "../support/daemons/docker-removals-in-use.ts";
import { type DockerStage, describeDocker } from "../support/daemons/docker-stage.ts";

describeDocker("docker rmi and our removal agree", "28", (stage) => {
  test.each([...removals, ...removalsInUse].map((removal) => [removal.title, removal] as const))(
    "%s",
    async (_, removal) => {
      await stage().set(removal);
      const before = await stage().observe();
      const ref = stage().fill(removal.ref);
      const plan = planRemoval({ ...requestOf(before), ref, force: removal.force ?? false, noPrune: false });

      const answer = await stage().docker.tryDocker("rmi", ...(removal.force ? ["--force"] : []), ref);

      const said = answer.code === 0 ? answer.stdout.trim().split("\n") : messageOf(answer.stderr);
      expect(said).toEqual(expectedOf(stage(), removal, before));
      expect(printed(plan)).toEqual(said);
      expect(applyRemoval(before.names, plan).map(({ name }) => name)).toEqual(await stage().names());
    },
  );
});

function requestOf(state: NamespaceState) {
  return { records: state.names, containers: state.containers.flatMap((container) => usesOf(container, state)) };
}

function usesOf(container: Container, { names }: NamespaceState): RemovalUse[] {
  const { id, imageId, state, imageMounts } = container;
  const use = { id, running: state === "running" || state === "paused" };
  const mounts = imageMounts.flatMap((mount) => names.find(({ name }) => name === fullName(mount)) ?? []);
  return [
    { ...use, target: imageId as Digest },
    ...mounts.map(({ target }): RemovalUse => ({ ...use, imageMountOf: target })),
  ];
}

function fullName(mount: string): string {
  return formatReference(withDefaultTag(parseReference(mount)));
}

/** The plan in the words of the command. */
function printed(plan: RemovalPlan): readonly string[] | string {
  if (plan.kind === "refused") return plan.message;
  return plan.report.map((entry) => ("deleted" in entry ? `Deleted: ${entry.deleted}` : `Untagged: ${entry.untagged}`));
}

function messageOf(stderr: string): string {
  return stderr.trim().replace(/^Error response from daemon: /, "");
}

/** The digest of an image made on the spot is known only now. */
function expectedOf(stage: DockerStage, { prints }: Removal, { names, containers }: NamespaceState) {
  const child = names.find(({ name }) => name === "docker.io/library/child:1")?.target ?? "";
  const container = containers[0]?.id.slice(0, 12) ?? "";
  const fill = (text: string) => stage.fill(text.replace("{child}", child).replace("{container}", container));
  return typeof prints === "string" ? fill(prints) : prints.map(fill);
}
