// `prunelet --runtime docker` on real Docker Engines with both image stores, beside what Docker's own commands do on the same
// state.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlanReport } from "../../src/report/plan-json.ts";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import type { DockerOptions } from "../support/daemons/docker.ts";
import type { Scene } from "../support/daemons/docker-stage.ts";
import { type EngineStage, startEngineStage } from "../support/daemons/engine-stage.ts";
import { runPrunelet } from "../support/prunelet.ts";
import { createTempFolder } from "../support/temp.ts";

const engines: readonly Omit<DockerOptions, "registryHost">[] = [
  { version: "20.10", store: "overlay2" },
  { version: "28", store: "containerd" },
];

interface PruneScene extends Scene {
  readonly title: string;
  /** Of both commands. Default: `--all`, which is what prunelet does without flags. */
  readonly flags?: readonly string[];
  readonly danglingOnly?: boolean;
  /** Names that stay here and that Docker removes. */
  readonly staysToo?: readonly string[];
  /** Names that go here and that Docker keeps. Never one that something needs. */
  readonly goesToo?: readonly string[];
  readonly only?: DockerOptions["store"];
}

const digestOnly = "reg/r@{A:digest}";

const scenes: readonly PruneScene[] = [
  { title: "an unused tag", names: [["A", "busybox:latest"]] },
  { title: "two tags of an unused image", names: [["A", "busybox:a", "busybox:b"]] },
  {
    title: "an image in use by ID keeps one of three tags",
    names: [["A", "busybox:a", "busybox:b", "busybox:c"]],
    containers: [{ image: "{A:hex}", state: "running" }],
  },
  {
    title: "an image in use by name keeps that name",
    names: [
      ["A", "busybox:a", "busybox:b"],
      ["B", "other:1"],
    ],
    containers: [{ image: "busybox:b", state: "exited" }],
  },
  {
    title: "a created container uses its image",
    names: [
      ["A", "busybox:a"],
      ["B", "other:1"],
    ],
    containers: [{ image: "{A:8}", state: "created" }],
  },
  {
    title: "an image used by digest keeps its digest reference and the tag that would take it along",
    names: [["A", "reg/r:v1", digestOnly]],
    containers: [{ image: digestOnly, state: "running" }],
    staysToo: ["reg/r:v1"],
  },
  {
    title: "a digest reference that a container is made by stays, though another repository has the image",
    names: [["A", "reg/r:v1", digestOnly, "zrepo:1"]],
    containers: [{ image: digestOnly, state: "running" }],
    staysToo: ["reg/r:v1", digestOnly],
    goesToo: ["zrepo:1"],
  },
  { title: "an image known by digest only, unused", names: [["A", digestOnly]] },
  {
    title: "a dangling image that nothing uses, dangling images only",
    names: [["B", "busybox:latest"]],
    dangling: ["A"],
    danglingOnly: true,
  },
  {
    title: "a dangling image that a stopped container uses",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    later: [["B", "busybox:latest"]],
    staysToo: ["busybox:latest"],
  },
  {
    title: "a moved tag: what the container runs stays, and so does the name that it was made by",
    names: [
      ["A", "busybox:latest", "busybox:old"],
      ["B", "other:1"],
    ],
    containers: [{ image: "busybox", state: "running" }],
    moved: [["other:1", "busybox:latest"]],
    staysToo: ["busybox:latest", "busybox:old"],
  },
  {
    title: "a label filter",
    names: [
      ["A", "a:1"],
      ["B", "b:1"],
    ],
    flags: ["--filter", "label=image=B"],
  },
  {
    title: "a negated label filter",
    names: [
      ["A", "a:1"],
      ["B", "b:1"],
    ],
    flags: ["--filter", "label!=image=B"],
  },
  { title: "until: nothing is that old", names: [["A", "a:1"]], flags: ["--filter", "until=2019-01-01T00:00:00Z"] },
  {
    title: "until: what the store counts from, the build or the load",
    names: [["A", "a:1"]],
    flags: ["--filter", "until=2025-01-01T00:00:00Z"],
  },
  {
    title: "an image that another one was built on stays with it",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    commits: ["child:1"],
    flags: ["--filter", "label=nothing-has-this"],
  },
  {
    title: "an image that another one was built on keeps its name as long as that one stays",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    commits: ["child:1"],
    flags: ["--filter", "until=2025-01-01T00:00:00Z"],
    staysToo: ["busybox:latest"],
  },
  {
    title: "the tag that a container names stays, not the last in byte order",
    names: [["A", "busybox:a", "busybox:b"]],
    containers: [{ image: "busybox:a", state: "running" }],
    staysToo: ["busybox:a"],
    goesToo: ["busybox:b"],
  },
  {
    title: "an image known by digest only is not dangling",
    names: [["A", digestOnly]],
    danglingOnly: true,
    staysToo: [digestOnly],
  },
  {
    title: "parent and child, both unused",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    commits: ["child:1"],
  },
  {
    title: "an image that is only mounted",
    names: [
      ["A", "busybox:latest"],
      ["B", "user:1"],
    ],
    containers: [{ image: "user:1", state: "running", mount: "busybox:latest" }],
    staysToo: ["busybox:latest"],
    only: "containerd",
  },
];

interface RemovalScene extends Scene {
  readonly title: string;
  readonly ref: string;
  readonly flags?: readonly string[];
  /** Docker's message of another image store, with the same meaning. */
  readonly otherWords?: DockerOptions["store"];
}

const removals: readonly RemovalScene[] = [
  { title: "an unknown name", names: [], ref: "nothingthere" },
  { title: "the only name", names: [["A", "busybox:latest"]], ref: "busybox" },
  { title: "one of two repositories", names: [["A", "x:1", "y:1"]], ref: "x:1" },
  {
    title: "the last tag of a repository with a digest reference",
    names: [["A", "reg/r:v1", digestOnly]],
    ref: "reg/r:v1",
  },
  {
    title: "one of two tags of a repository with a digest reference",
    names: [["A", "reg/r:v1", "reg/r:v2", digestOnly]],
    ref: "reg/r:v1",
  },
  {
    title: "a tag whose digest reference goes along, while another repository remains",
    names: [["A", "reg/r:v1", digestOnly, "x:1"]],
    ref: "reg/r:v1",
  },
  { title: "a digest reference beside a tag", names: [["A", "reg/r:v1", digestOnly]], ref: digestOnly },
  { title: "a digest reference alone", names: [["A", digestOnly]], ref: digestOnly },
  { title: "the full ID of one tag", names: [["A", "busybox:latest"]], ref: "{A}" },
  { title: "the beginning of an ID", names: [["A", "busybox:latest"]], ref: "{A:12}" },
  { title: "the ID of an image with two repositories", names: [["A", "x:1", "y:1"]], ref: "{A}" },
  { title: "the same by force", names: [["A", "x:1", "y:1"]], ref: "{A}", flags: ["--force"] },
  {
    title: "the only tag of a running container",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "busybox:latest",
    otherWords: "overlay2",
  },
  {
    title: "one of two tags of a running container",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "busybox:latest",
  },
  {
    title: "the ID of a running container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "{A}",
  },
  {
    title: "the ID of a stopped container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    ref: "{A}",
  },
  {
    title: "the only name of an image that another one was built on",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    commits: ["child:1"],
    ref: "busybox",
  },
  {
    title: "the ID of an image that another one was built on",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    commits: ["child:1"],
    ref: "{A}",
  },
  ...[[], ["--no-prune"]].map((flags) => ({
    title: `an image whose parent has no name, with flags [${flags.join()}]`,
    names: [["A", "busybox:latest"]] as const,
    containers: [{ image: "busybox", state: "exited" }] as const,
    commits: ["child:1"],
    untagged: ["busybox"],
    ref: "child:1",
    flags,
  })),
  { title: "a dangling image by its ID", names: [["B", "x:1"]], dangling: ["A"], ref: "{A}" },
];

for (const options of engines) {
  const title = `Docker Engine ${options.version}, ${options.store}`;
  describeDaemon(title, [`docker ${options.version}`, "registry"], () => {
    let stage: EngineStage;
    const folder = createTempFolder();
    const prunelet = (command: string, ...args: readonly string[]) => {
      const where = ["--runtime", "docker", "--endpoint", `unix://${stage.docker.socket}`, "--pods", "none"];
      const env = { PRUNELET_STATE_FILE: `${folder.path}/state.json` };
      return runPrunelet([command, ...args, ...where, "-o", "json"], { env });
    };
    beforeAll(async () => {
      stage = await startEngineStage(options);
    });
    afterAll(async () => {
      await stage?.stop();
      folder.remove();
    });

    describe("prune beside docker image prune", () => {
      const own = scenes.filter(({ only }) => only === undefined || only === options.store);
      test.each(own.map((scene) => [scene.title, scene] as const))("%s", async (_, scene) => {
        const filter = scene.flags ?? [];
        await stage.set(scene);
        await stage.docker.docker("image", "prune", "--force", ...(scene.danglingOnly ? [] : ["--all"]), ...filter);
        const dockerLeft = (await stage.names()).map(comparable);
        await stage.set(scene);
        const used = await stage.used();
        const before = await stage.names();

        const planned = await prunelet("plan", ...(scene.danglingOnly ? ["--dangling"] : []), ...filter);
        const result = await prunelet("prune", "--yes", ...(scene.danglingOnly ? ["--dangling"] : []), ...filter);

        const report = result.json() as PlanReport;
        const left = await stage.names();
        const more = (scene.staysToo ?? []).map((name) => stage.fill(fullForm(name)));
        const less = (scene.goesToo ?? []).map((name) => stage.fill(fullForm(name)));
        expect({ code: result.code, failed: report.failed, leftAlone: report.leftAlone }).toEqual({
          code: 0,
          failed: [],
          leftAlone: [],
        });
        expect(await stage.images()).toEqual(expect.arrayContaining([...new Set(used)]));
        expect(left.map(comparable)).toEqual(
          [...new Set([...dockerLeft.filter((name) => !less.includes(name)), ...more])].sort(),
        );
        expect((planned.json() as PlanReport).untagged).toEqual(report.untagged);
        expect(report.untagged.map(comparable).sort()).toEqual(
          before
            .filter((name) => !left.includes(name))
            .map(comparable)
            .sort(),
        );
        expect(report.approximateBytes).toBe(true);
      });
    });

    describe("rmi beside docker rmi", () => {
      test.each(removals.map((scene) => [scene.title, scene] as const))("%s", async (_, scene) => {
        const flags = scene.flags ?? [];
        await stage.set(scene);
        const docker = await stage.docker.tryDocker("rmi", ...flags, stage.fill(scene.ref));
        const dockerLeft = (await stage.names()).map(comparable);
        await stage.set(scene);

        const result = await prunelet("rmi", ...flags, stage.fill(scene.ref));

        const report = result.json() as RemovalsReport;
        expect((await stage.names()).map(comparable)).toEqual(dockerLeft);
        expect(result.code === 0).toBe(docker.code === 0);
        const [first] = report.results;
        const said = first?.error?.message ?? first?.removed.map(lineOf);
        const known = [stage.fill("{A}"), stage.fill("{B}")];
        if (scene.otherWords === options.store) expect(said).toMatch(/^conflict: .*is using its referenced image/);
        else
          expect(wordsOf(said, known)).toEqual(
            wordsOf(docker.code === 0 ? linesOf(docker.stdout) : messageOf(docker.stderr), known),
          );
      });

      test("never forces the engine: an image that a container uses stays, and the message says so", async () => {
        await stage.set({ names: [["A", "busybox:latest"]], containers: [{ image: "busybox", state: "created" }] });

        const byName = await prunelet("rmi", "--force", "busybox");
        const byId = await prunelet("rmi", "--force", stage.fill("{A}"));

        expect([byName.code, byId.code]).toEqual([1, 1]);
        expect(byName.stderr).toMatch(/\(cannot be forced\) - container [0-9a-f]{12} is using its referenced image/);
        expect(byId.stderr).toMatch(/\(cannot be forced\) - image is being used by stopped container [0-9a-f]{12}/);
        expect(await stage.names()).toEqual(["docker.io/library/busybox:latest"]);
      });
    });

    test("who may not use the socket is told so in one line", async () => {
      const where = ["--runtime", "docker", "--endpoint", `unix://${stage.docker.socket}`, "--pods", "none"];

      const result = await runPrunelet(["images", ...where], { uid: 65_534 });

      expect(result.code).toBe(1);
      expect(result.stderr.trim().split("\n").at(-1)).toMatch(
        /permission denied on .*: run as root or as a member of the group/,
      );
    });

    test("images and inspect show what Docker has", async () => {
      await stage.set({
        names: [["A", "busybox:latest", "reg/r:v1"]],
        containers: [{ image: "busybox", state: "running" }],
      });

      const images = (await prunelet("images")).json() as readonly { name: string; id: string; size: number }[];
      const page = (await prunelet("inspect", "busybox")).json() as {
        id: string;
        inUse: boolean;
        usedBy: readonly string[];
      };

      expect(images.map(({ name }) => name).sort()).toEqual(
        [stage.fill("reg/r:v1"), "docker.io/library/busybox:latest"].sort(),
      );
      expect(new Set(images.map(({ id }) => id))).toEqual(new Set([stage.fill("{A}")]));
      expect(images.every(({ size }) => size > 1_000_000)).toBe(true);
      expect(page).toMatchObject({ id: stage.fill("{A}"), inUse: true });
      expect(page.usedBy).toEqual([expect.stringMatching(/^container [0-9a-f]{12} \(running\)$/)]);
    });

    test("a removed image gives the bytes back that were measured", async () => {
      await stage.set({ names: [["A", "busybox:latest"]] });

      const report = (await prunelet("prune", "--yes")).json() as PlanReport;

      expect(report.plannedBytes).toBeGreaterThan(1_000_000);
      expect(report.reclaimedBytes).toBeGreaterThan(1_000_000);
    });
  });
}

/** A dangling image by its ID, and images made on the spot without theirs. */
function comparable(name: string): string {
  return name.replace(/^(<none> |.*moby-dangling@)/, "<none> ");
}

function fullForm(name: string): string {
  return name.includes("/") ? name : `docker.io/library/${name}`;
}

function lineOf(entry: { readonly untagged: string } | { readonly deleted: string }): string {
  return "deleted" in entry ? `Deleted: ${entry.deleted}` : `Untagged: ${entry.untagged}`;
}

function linesOf(stdout: string): readonly string[] {
  return stdout.trim().split("\n");
}

function messageOf(stderr: string): string {
  return stderr.trim().replace(/^Error( response from daemon)?: /, "");
}

/** Without what differs from run to run: IDs of containers, of images made on the spot, and the layers that graph drivers list. */
function wordsOf(said: string | readonly string[] | undefined, known: readonly string[]) {
  // Before 23, the message about what is not there leaves the tag away.
  if (said === undefined || typeof said === "string")
    return said?.replace(/(container )[0-9a-f]{12}/, "$1<ID>").replace(/^(No such image: .*):latest$/, "$1");
  const image = said.findIndex((line) => line.startsWith("Deleted: "));
  const lines = image < 0 ? said : said.slice(0, image + 1);
  return lines.map((line) => {
    const made = line.startsWith("Deleted: ") && !known.some((id) => line.endsWith(id));
    return made ? "Deleted: <made here>" : line;
  });
}
