// Where the runtime listens: each preset mounts the folder of its socket and tells the agent the socket.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { knownSockets } from "../../src/runtime/known-sockets.ts";
import { at, describeHelm, type Rendered, render } from "./helm.ts";
import { scenarios } from "./scenarios.ts";

const presets = [
  { preset: "containerd", kind: "containerd", socket: "/run/containerd/containerd.sock" },
  { preset: "k3s", kind: "containerd", socket: "/run/k3s/containerd/containerd.sock" },
  { preset: "rke2", kind: "containerd", socket: "/run/k3s/containerd/containerd.sock" },
  { preset: "microk8s", kind: "containerd", socket: "/var/snap/microk8s/common/run/containerd.sock" },
  { preset: "k0s", kind: "containerd", socket: "/run/k0s/containerd.sock" },
  { preset: "crio", kind: "cri", socket: "/run/crio/crio.sock" },
] as const;

describeHelm("the socket", ["helm3"], () => {
  test.each(presets)(
    "of $preset is mounted with its folder and named to the agent",
    async ({ preset, kind, socket }) => {
      const rendered = await render({ runtime: { preset } });

      const folder = socket.slice(0, socket.lastIndexOf("/"));
      expect(hostPathOf(rendered)).toEqual({ path: folder, type: "DirectoryOrCreate" });
      expect(mountOf(rendered)).toMatchObject({
        mountPath: folder,
        readOnly: true,
        mountPropagation: "HostToContainer",
      });
      expect(parse(rendered.config())).toMatchObject({ runtime: kind, endpoint: `unix://${socket}` });
    },
  );

  test("of Docker lies in a folder with everything else, so it is mounted alone", async () => {
    const rendered = await render({ runtime: { preset: "docker" } });

    expect(hostPathOf(rendered)).toEqual({ path: "/run/docker.sock", type: "Socket" });
    expect(mountOf(rendered)).toMatchObject({ mountPath: "/run/docker.sock", readOnly: true });
    expect(parse(rendered.config())).toMatchObject({ runtime: "docker", endpoint: "unix:///run/docker.sock" });
  });

  test("can be anywhere, of any kind", async () => {
    const rendered = await render({ runtime: { preset: "custom", kind: "cri", socket: "/opt/run/my.sock" } });

    expect(hostPathOf(rendered)).toEqual({ path: "/opt/run", type: "DirectoryOrCreate" });
    expect(parse(rendered.config())).toMatchObject({ runtime: "cri", endpoint: "unix:///opt/run/my.sock" });
  });

  test("given in the agent's configuration is mounted, too", async () => {
    const rendered = await render({ config: { endpoint: "unix:///data/containerd/c.sock" } });

    expect(hostPathOf(rendered)).toMatchObject({ path: "/data/containerd" });
    expect(parse(rendered.config())).toMatchObject({ endpoint: "unix:///data/containerd/c.sock" });
  });

  test("is mounted privately where the node's root is", async () => {
    const rendered = await render({ runtime: { mountPropagation: "None" } });

    expect(mountOf(rendered)).toMatchObject({ mountPropagation: "None" });
  });

  test("of each preset is one that the agent would find by itself", () => {
    const ours = presets.map(({ kind, socket }) => `${kind} ${socket}`);
    const known = knownSockets.map(({ kind, path }) => `${kind} ${path}`);

    expect(known).toEqual(expect.arrayContaining([...ours, "docker /run/docker.sock"]));
    expect(ours).toEqual(expect.arrayContaining(known.filter((one) => one.startsWith("containerd "))));
  });
});

describeHelm("the configuration file", ["helm3"], () => {
  test.each(Object.entries(scenarios))("is one that the agent accepts: %s", async (_name, values) => {
    const rendered = await render(values);
    const folder = mkdtempSync(join(tmpdir(), "prunelet-chart-"));
    const file = join(folder, "config.yaml");
    writeFileSync(file, rendered.config());

    try {
      expect(() => loadConfig({ file, env: {}, flags: {} })).not.toThrow();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("holds what the values say, and insists on Kubernetes' pods", async () => {
    const rendered = await render({
      config: { interval: "3m", policy: { keep: ["a/*"] }, pods: { staleAfter: "9m" } },
    });

    expect(parse(rendered.config())).toEqual({
      runtime: "containerd",
      endpoint: "unix:///run/containerd/containerd.sock",
      stateFile: "/var/lib/prunelet/state.json",
      pods: { source: "kubernetes", staleAfter: "9m" },
      interval: "3m",
      policy: { keep: ["a/*"] },
    });
  });

  test("restarts the agents only when asked: otherwise they read the change themselves", async () => {
    const template = async (config: object, restartOnConfigChange: boolean) =>
      at((await render({ config, restartOnConfigChange })).one("DaemonSet"), "spec", "template");

    expect(await template({ interval: "1m" }, false)).toEqual(await template({ interval: "2m" }, false));
    expect(await template({ interval: "1m" }, true)).not.toEqual(await template({ interval: "2m" }, true));
  });

  test("is seen by the agent and by a command that somebody runs in its pod", async () => {
    const rendered = await render();

    expect(at(rendered.container(), "env")).toContainEqual({
      name: "PRUNELET_CONFIG",
      value: "/etc/prunelet/config.yaml",
    });
    expect(at(rendered.container(), "env")).toContainEqual({
      name: "NODE_NAME",
      valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } },
    });
  });
});

function hostPathOf(rendered: Rendered): unknown {
  const volumes = at(rendered.pod(), "volumes") as readonly unknown[];
  return at(
    volumes.find((volume) => at(volume, "name") === "socket"),
    "hostPath",
  );
}

function mountOf(rendered: Rendered): unknown {
  const mounts = at(rendered.container(), "volumeMounts") as readonly unknown[];
  return mounts.find((mount) => at(mount, "name") === "socket");
}
