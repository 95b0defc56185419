// Which runtime is chosen on a host, and what is said when none or several can be: over real sockets below a root of our own.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FindOptions, findEndpoint, findRuntime, kindOfEndpoint } from "../../src/runtime/detect.ts";
import { knownSockets } from "../../src/runtime/known-sockets.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import {
  leaveSocket,
  type Stop,
  serveContainerd,
  serveCri,
  serveDocker,
  serveHttp,
  serveSilence,
} from "../support/socket-servers.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

const containerd = "/run/containerd/containerd.sock";
const docker = "/run/docker.sock";
const podman = "/run/podman/podman.sock";
const crio = "/run/crio/crio.sock";
const criDockerd = "/run/cri-dockerd.sock";

let folder: TempFolder;
let stops: Stop[] = [];

beforeEach(() => {
  folder = createTempFolder();
});

afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
  folder.remove();
});

const at = (path: string): string => join(folder.path, path);

async function serve(server: Promise<Stop>): Promise<void> {
  stops.push(await server);
}

/** A busy machine answers late: the time is short only where nobody answers at all. */
const patience = 10_000;

function find(more: Partial<FindOptions> = {}) {
  return findRuntime({ namespaces: ["k8s.io"], env: {}, root: folder.path, timeoutMs: patience, ...more });
}

async function problemOf(work: Promise<unknown>): Promise<RuntimeError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
  throw new Error("a runtime was found");
}

describe("a host with one runtime", () => {
  test.each(knownSockets.map((one) => [one.distribution, one] as const))(
    "finds that of %s",
    async (_, { kind, path }) => {
      if (kind === "containerd") await serve(serveContainerd(at(path), ["k8s.io"]));
      if (kind === "cri") await serve(serveCri(at(path), "cri-o"));
      if (kind === "docker") await serve(serveDocker(at(path)));

      const found = await find();

      expect(found).toMatchObject({ kind, endpoint: `unix://${at(path)}`, passedOver: [] });
      expect(found.why).toMatch(/ is the only socket that is there$/);
    },
  );

  test("says who answered, with its version", async () => {
    await serve(serveDocker(at(podman), "Podman Engine"));

    expect((await find()).why).toBe(`Podman 28.5.2 at unix://${at(podman)} is the only socket that is there`);
  });

  test("believes the answer and not the path", async () => {
    await serve(serveCri(at(containerd), "cri-o"));

    expect(await find()).toMatchObject({ kind: "cri", endpoint: `unix://${at(containerd)}` });
  });

  test("counts a socket once that two paths lead to", async () => {
    await serve(serveDocker(at(podman), "Podman Engine"));
    symlinkSync(at(podman), at(docker));

    expect(await find()).toMatchObject({ kind: "docker", endpoint: `unix://${at(docker)}` });
  });

  test("takes the socket that DOCKER_HOST names in the place of Docker's usual one", async () => {
    await serve(serveDocker(at("/elsewhere/d.sock")));

    const found = await find({ env: { DOCKER_HOST: `unix://${at("/elsewhere/d.sock")}` } });

    expect(found).toMatchObject({ kind: "docker", endpoint: `unix://${at("/elsewhere/d.sock")}` });
  });
});

describe("an engine that DOCKER_HOST names over TCP", () => {
  test("is asked like any other", async () => {
    const port = await listenOnTcp();

    const found = await find({ env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } });

    expect(found).toMatchObject({ kind: "docker", endpoint: `tcp://127.0.0.1:${port}` });
  });

  test("and does not answer is told", async () => {
    await serve(serveContainerd(at(containerd), ["k8s.io"]));

    const found = await find({ env: { DOCKER_HOST: "tcp://127.0.0.1:1" } });

    expect(found.kind).toBe("containerd");
    expect(found.passedOver).toEqual(["tcp://127.0.0.1:1 is not reached, or is no Docker Engine: check DOCKER_HOST"]);
  });
});

describe("sockets without a runtime", () => {
  test("do not hide the runtime that answers, and are told", async () => {
    await serve(serveContainerd(at(containerd), ["k8s.io"]));
    await serve(serveSilence(at(docker)));
    await serve(serveHttp(at(crio), "hello"));
    mkdirSync(dirname(at(podman)), { recursive: true });
    writeFileSync(at(podman), "");

    const found = await find({ timeoutMs: 2_000 });

    expect(found).toMatchObject({ kind: "containerd" });
    expect(found.why).toMatch(/ is the only runtime that answers$/);
    expect(found.passedOver).toEqual([
      expect.stringMatching(/crio\.sock speaks neither gRPC .* nor Docker's HTTP/),
      expect.stringMatching(/docker\.sock accepts connections and gives no answer within 2 s/),
      expect.stringMatching(/podman\.sock is not a socket/),
    ]);
  });

  test("alone are an error that says what is wrong with each", async () => {
    await serve(serveSilence(at(containerd)));
    await leaveSocket(at(docker));

    const problem = await problemOf(find({ timeoutMs: 300 }));

    expect(problem.code).toBe("timeout");
    expect(problem.message).toMatch(
      /^find the runtime: no container runtime answers: \S+containerd\.sock accepts connections and gives no answer .*; \S+docker\.sock nobody listens: the socket is left from an earlier run/,
    );
  });

  test("and nowhere else: names every place that was looked at", async () => {
    const problem = await problemOf(find());

    expect(problem.code).toBe("invalid-argument");
    for (const { path } of knownSockets) expect(problem.message).toContain(at(path));
    expect(problem.message).toMatch(/: give --endpoint unix:\/\/\/path\.sock$/);
  });
});

describe("a host with several runtimes", () => {
  test("is an error that lists them and the flags to choose", async () => {
    await serve(serveContainerd(at(containerd), ["k8s.io", "moby"]));
    await serve(serveDocker(at(docker)));

    const problem = await problemOf(find());

    expect(problem.code).toBe("invalid-argument");
    expect(problem.message).toBe(
      `find the runtime: several runtimes answer on this host: containerd 2.1.4 at unix://${at(containerd)}, ` +
        `Docker Engine 28.5.2 at unix://${at(docker)}: choose one with --runtime containerd or --runtime docker`,
    );
  });

  test("of one kind are told apart by their sockets", async () => {
    await serve(serveDocker(at(docker)));
    await serve(serveDocker(at(podman), "Podman Engine"));

    const { message } = await problemOf(find());

    expect(message).toContain(`choose one with --endpoint unix://${at(docker)} or --endpoint unix://${at(podman)}`);
  });

  test.each([
    ["that holds only what Docker has in it", ["moby", "plugins.moby"]],
    ["that holds nothing yet", []],
  ])("leaves a containerd %s to Docker", async (_, namespaces) => {
    await serve(serveContainerd(at(containerd), namespaces));
    await serve(serveDocker(at(docker)));

    const found = await find();

    expect(found).toMatchObject({ kind: "docker", endpoint: `unix://${at(docker)}` });
    expect(found.passedOver).toEqual([
      expect.stringMatching(/containerd\.sock is beneath Docker Engine: it has no namespace k8s\.io$/),
    ]);
  });

  test("takes Docker on a kubelet's node with cri-dockerd in front of it", async () => {
    await serve(serveCri(at(criDockerd), "docker"));
    await serve(serveContainerd(at(containerd), ["moby"]));
    await serve(serveDocker(at(docker)));

    const found = await find();

    expect(found.kind).toBe("docker");
    expect(found.passedOver).toHaveLength(2);
    expect(found.passedOver[1]).toMatch(/^docker 1\.33\.1 at \S+cri-dockerd\.sock shows the images of Docker Engine/);
  });

  test("does not take a containerd for Podman's", async () => {
    await serve(serveContainerd(at(containerd), []));
    await serve(serveDocker(at(podman), "Podman Engine"));

    expect((await problemOf(find())).message).toContain("--runtime containerd or --runtime docker");
  });
});

describe("the socket of a runtime whose kind is known", () => {
  const endpoint = (kind: Parameters<typeof findEndpoint>[0], env: FindOptions["env"] = {}) =>
    findEndpoint(kind, { namespaces: ["k8s.io"], env, root: folder.path, timeoutMs: patience });

  test("is the usual one that is there, whatever else runs", async () => {
    await serve(serveContainerd(at("/run/k0s/containerd.sock"), []));
    await serve(serveDocker(at(docker)));

    expect(await endpoint("containerd")).toMatchObject({ endpoint: `unix://${at("/run/k0s/containerd.sock")}` });
    expect(await endpoint("docker")).toMatchObject({ endpoint: `unix://${at(docker)}` });
  });

  test("is the most usual one when none is there, so that the adapter tells what is missing", async () => {
    expect(await endpoint("containerd")).toMatchObject({ kind: "containerd", endpoint: `unix://${at(containerd)}` });
  });

  test("is containerd's for CRI when there is no other CRI runtime", async () => {
    await serve(serveContainerd(at(containerd), []));

    expect(await endpoint("cri")).toMatchObject({ kind: "cri", endpoint: `unix://${at(containerd)}` });
  });

  test("is what DOCKER_HOST names for Docker, unasked", async () => {
    const found = await endpoint("docker", { DOCKER_HOST: "tcp://127.0.0.1:2376" });

    expect(found).toMatchObject({ kind: "docker", endpoint: "tcp://127.0.0.1:2376", why: "DOCKER_HOST names it" });
  });

  test("has to be chosen when several answer", async () => {
    await serve(serveContainerd(at(containerd), []));
    await serve(serveContainerd(at("/run/k3s/containerd/containerd.sock"), []));

    expect((await problemOf(endpoint("containerd"))).message).toMatch(
      /choose one with --endpoint \S+ or --endpoint \S+$/,
    );
  });
});

describe("a socket that was named", () => {
  test.each<[string, (path: string) => Promise<Stop>]>([
    ["containerd", (path) => serveContainerd(path, [])],
    ["cri", (path) => serveCri(path, "cri-o")],
    ["docker", (path) => serveDocker(path)],
  ])("is asked what it is: %s", async (kind, server) => {
    await serve(server(at("/any.sock")));

    expect(await kindOfEndpoint(`unix://${at("/any.sock")}`)).toMatchObject({ kind });
  });

  test("by a server that is no runtime is refused", async () => {
    await serve(serveHttp(at("/any.sock"), "{}"));

    const problem = await problemOf(kindOfEndpoint(`unix://${at("/any.sock")}`));

    expect(problem.code).toBe("unsupported");
    expect(problem.message).toMatch(/any\.sock speaks neither .*: name the runtime's socket with --endpoint$/);
  });

  test.each([
    ["/run/docker.sock", "docker"],
    ["/run/podman/podman.sock", "docker"],
    ["/run/crio/crio.sock", "cri"],
    ["/run/cri-dockerd.sock", "cri"],
    ["/run/containerd/containerd.sock", "containerd"],
  ])("and does not answer is taken for what its name tells: %s", async (path, kind) => {
    expect(await kindOfEndpoint(`unix://${at(path)}`)).toMatchObject({
      kind,
      why: expect.stringMatching(/does not answer now/),
    });
  });
});

async function listenOnTcp(): Promise<number> {
  const server = createServer((_, response) => response.end(JSON.stringify({ Version: "28.5.2", ApiVersion: "1.51" })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
