// `prunelet --runtime docker` on Podman's service: nothing in use goes, what is unused does.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { PlanReport } from "../../src/report/plan-json.ts";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { callEngine } from "../support/daemons/docker-api.ts";
import { type Podman, startPodman } from "../support/daemons/podman.ts";
import { type Registry, startRegistry } from "../support/daemons/registry.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { pushImage } from "../support/oci/push.ts";
import { runPrunelet } from "../support/prunelet.ts";
import { createTempFolder } from "../support/temp.ts";

const A = busyboxImage({ labels: { image: "A" } });
const B = busyboxImage({ labels: { image: "B" } });

describeDaemon("Podman", ["podman", "docker 28", "registry"], () => {
  const folder = createTempFolder();
  let registry: Registry;
  let podman: Podman;

  beforeAll(async () => {
    registry = await startRegistry();
    await pushImage(A, { registry: registry.url, repository: "r", tags: [] });
    podman = await startPodman({ registryHost: registry.host });
  });
  afterAll(async () => {
    await podman?.stop();
    await registry?.stop();
    folder.remove();
  });
  beforeEach(async () => {
    await podman.removeContainers();
    for (const { Id } of await listed()) await podman.tryDocker("rmi", "--force", Id);
  });

  const listed = () =>
    callEngine<readonly { Id: string; RepoTags: readonly string[] | null }[]>(
      podman.socket,
      "GET",
      "/images/json?all=1",
    );
  const names = async () => (await listed()).flatMap(({ RepoTags }) => RepoTags ?? []).sort();
  const prunelet = (...args: readonly string[]) => {
    const where = ["--runtime", "docker", "--endpoint", `unix://${podman.socket}`, "--pods", "none", "-o", "json"];
    return runPrunelet([...args, ...where], { env: { PRUNELET_STATE_FILE: `${folder.path}/state.json` } });
  };
  const create = async (image: string, ...flags: readonly string[]) => {
    const common = ["--pull", "never", "--network", "none", "--cgroup-parent", podman.cgroup];
    return (await podman.docker("create", ...common, ...flags, image)).stdout.trim();
  };

  test("keeps what containers use, by tag, by digest and by ID, and removes the rest", async () => {
    const reference = `${registry.host}/r@${A.target.digest}`;
    await podman.docker("pull", "--quiet", reference);
    await podman.load(B, ["registry.example/b:1", "registry.example/b:2"]);
    await podman.load(busyboxImage({ labels: { image: "C" } }), ["registry.example/c:1"]);
    await create(reference);
    await podman.docker("start", await create(B.config.digest.slice("sha256:".length)));

    const report = (await prunelet("prune", "--yes")).json() as PlanReport;

    expect(report).toMatchObject({
      failed: [],
      leftAlone: [],
    });
    expect(report.untagged.toSorted()).toEqual(["registry.example/b:1", "registry.example/c:1"]);
    expect(await names()).toEqual([reference, "registry.example/b:2"].sort());
    expect(report.reclaimedBytes).toBeGreaterThan(0);
  });

  test("rmi untags while another name stays, deletes with the last, and is refused while a container uses it", async () => {
    await podman.load(A, ["registry.example/a:1", "registry.example/a:2"]);
    await podman.load(B, ["registry.example/b:1"]);
    await create("registry.example/b:1");

    const result = await prunelet("rmi", "registry.example/a:1", "registry.example/b:1", A.config.digest);

    const report = result.json() as RemovalsReport;
    expect(result.code).toBe(1);
    expect(report.untagged).toEqual(["registry.example/a:1", "registry.example/a:2"]);
    expect(report.failed.map(({ reason }) => reason)).toEqual(["conflict"]);
    expect(await names()).toEqual(["registry.example/b:1"]);
  });
});
