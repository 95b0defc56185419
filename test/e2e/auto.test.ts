// `--runtime auto` among real daemons: the program sees a `/run` in which their sockets are where they usually are.
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { type Docker, dockerNamespace, startDocker } from "../support/daemons/docker.ts";
import { type RunResult, runPrunelet } from "../support/prunelet.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

interface VersionPage {
  readonly runtime?: { readonly kind: string };
  readonly chosen?: { readonly endpoint: string; readonly why: string; readonly passedOver: readonly string[] };
  readonly missing?: readonly { readonly capability: string; readonly instead: string }[];
}

describeDaemon("a host with Docker and the containerd beneath it", ["docker 28"], () => {
  let docker: Docker;
  let run: TempFolder;

  beforeAll(async () => {
    docker = await startDocker({ version: "28", store: "containerd" });
    await docker.containerd.ctr("namespaces", "create", dockerNamespace);
  });

  afterAll(() => docker?.stop());

  beforeEach(() => {
    run = createTempFolder();
  });

  afterEach(() => run.remove());

  const place = (usual: string, socket: string): void => {
    const path = join(run.path, usual);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(socket, path);
  };
  const prunelet = (...args: readonly string[]): Promise<RunResult> => runPrunelet(args, { run: run.path });
  const version = async () => (await prunelet("version", "-o", "json")).json() as VersionPage;

  test("is a Docker host: version tells why, and what Docker cannot do", async () => {
    place("docker.sock", docker.socket);
    place("containerd/containerd.sock", docker.containerd.socket);

    const page = await version();
    const text = (await prunelet("version")).stdout;

    expect(page.runtime?.kind).toBe("docker");
    expect(page.chosen).toMatchObject({
      endpoint: "unix:///run/docker.sock",
      why: expect.stringMatching(
        /^Docker Engine 28\.\S+ at unix:\/\/\/run\/docker\.sock is the only runtime that answers$/,
      ),
      passedOver: [expect.stringMatching(/containerd\.sock is beneath Docker Engine: it has no namespace k8s\.io$/)],
    });
    expect(page.missing?.map(({ capability }) => capability)).toContain("exactBytes");
    expect(text).toMatch(/^chosen {4}Docker Engine 28/m);
    expect(text).toMatch(/^cannot {4}exactBytes: .+/m);
  });

  test("can be looked at through containerd all the same, when that is named", async () => {
    place("docker.sock", docker.socket);
    place("containerd/containerd.sock", docker.containerd.socket);

    const result = await prunelet("plan", "--runtime", "containerd", "--namespace", dockerNamespace, "--pods", "none");

    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("with a kubelet's namespace in that containerd has two runtimes, and has to choose", async () => {
    place("docker.sock", docker.socket);
    place("containerd/containerd.sock", docker.containerd.socket);
    await docker.containerd.ctr("namespaces", "create", "k8s.io");

    const result = await prunelet("plan", "--pods", "none");
    await docker.containerd.ctr("namespaces", "remove", "k8s.io");

    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(
      /^prunelet: find the runtime: several runtimes answer on this host: containerd .*, Docker Engine .*: choose one with --runtime containerd or --runtime docker\n$/,
    );
  });

  test("finds containerd where only that is", async () => {
    place("k0s/containerd.sock", docker.containerd.socket);

    const page = await version();

    expect(page.runtime?.kind).toBe("containerd");
    expect(page.chosen?.endpoint).toBe("unix:///run/k0s/containerd.sock");
  });

  test("without any socket names every place that was looked at", async () => {
    const result = await prunelet("plan", "--pods", "none");

    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(
      /^prunelet: .*no container runtime found \(looked at \/run\/containerd\/.*\/run\/docker\.sock.*\): give --endpoint/,
    );
  });
});
