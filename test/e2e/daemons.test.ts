// The real daemons that other tests stand on: every containerd line starts, holds images, runs containers and pods, and leaves
// nothing behind.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cgroupFolders } from "../support/daemons/cgroups.ts";
import { isShim, shimSocket } from "../support/daemons/clear-away.ts";
import { type Containerd, startContainerd } from "../support/daemons/containerd.ts";
import { connectCri } from "../support/daemons/cri-client.ts";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { containerdLines } from "../support/daemons/manifest.ts";
import { allProcesses } from "../support/daemons/processes.ts";
import { type Registry, startRegistry } from "../support/daemons/registry.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { hostPlatform } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";
import { pushImage } from "../support/oci/push.ts";
import { mountsBelow } from "../support/temp.ts";

const app = busyboxImage({ layers: [buildLayer({ "app/version": "1\n" })], labels: { app: "one" } });
const pause = busyboxImage({ labels: { app: "pause" } });
const otherArchitecture = hostPlatform.architecture === "arm64" ? "amd64" : "arm64";
const foreign = busyboxImage({ platform: { os: "linux", architecture: otherArchitecture } });

for (const version of containerdLines) {
  describeDaemon(`containerd ${version}`, [`containerd ${version}`, "registry"], () => {
    let containerd: Containerd;
    let registry: Registry;

    beforeAll(async () => {
      registry = await startRegistry();
      await pushImage(pause, { registry: registry.url, repository: "pause", tags: ["1"] });
      await pushImage(app, { registry: registry.url, repository: "team/app", tags: ["1"] });
      const sandboxImage = `${registry.host}/pause:1`;
      containerd = await startContainerd({ version, cri: true, registryHost: registry.host, sandboxImage });
    });

    afterAll(async () => {
      await containerd?.stop();
      await registry?.stop();
    });

    test("holds an imported image under each of its names", async () => {
      const names = ["example.org/app:1", "example.org/app:2", `example.org/app@${app.manifest.digest}`];

      await containerd.import(app, { names });

      expect(await namesIn(containerd, "default")).toEqual(names);
      const snapshots = await containerd.ctr("snapshots", "--snapshotter", containerd.snapshotter, "list");
      for (const chainId of app.chainIds) expect(snapshots.stdout).toContain(chainId);
      const content = await containerd.ctr("content", "list", "--quiet");
      for (const blob of app.blobs) expect(content.stdout).toContain(blob.descriptor.digest);
    });

    test("imports an index whose other platforms are absent", async () => {
      const index = buildIndex([app, foreign], { leaveOut: [foreign] });

      await containerd.import(index, { names: ["example.org/multi:1"], namespace: "multi" });

      const content = await containerd.ctr("-n", "multi", "content", "list", "--quiet");
      expect(content.stdout).toContain(index.index.digest);
      expect(content.stdout).toContain(app.config.digest);
      expect(content.stdout).not.toContain(foreign.config.digest);
    });

    test("runs a container that goes on through a restart of the daemon, and stops it", async () => {
      await containerd.import(app, { names: ["example.org/app:1"], namespace: "run" });

      await containerd.runContainer({ namespace: "run", image: "example.org/app:1", id: "one" });
      await containerd.restart();
      const whileRunning = await containerd.ctr("-n", "run", "tasks", "list");
      await containerd.stopContainer({ namespace: "run", id: "one" });
      const whenStopped = await containerd.ctr("-n", "run", "containers", "list", "--quiet");
      await containerd.removeContainer({ namespace: "run", id: "one" });

      expect(whileRunning.stdout).toMatch(/^one\s+\d+\s+RUNNING/m);
      expect(whenStopped.stdout).toBe("one\n");
      expect((await containerd.ctr("-n", "run", "containers", "list", "--quiet")).stdout).toBe("");
    });

    test("comes back after a crash", async () => {
      const before = containerd.pid();

      await containerd.kill();
      await containerd.restart();

      expect(containerd.pid()).not.toBe(before);
      expect((await containerd.ctr("version")).stdout).toContain("Server:");
    });

    test("does not answer while it is paused", async () => {
      containerd.pause();
      const unanswered = containerd.ctr("--timeout", "300ms", "--connect-timeout", "300ms", "version");
      await expect(unanswered).rejects.toThrow();
      containerd.resume();

      await expect(containerd.ctr("version")).resolves.toBeDefined();
    });

    test("pulls through CRI under three names and runs a pod with a container", async () => {
      const cri = await connectCri(containerd);
      const reference = `${registry.host}/team/app:1`;

      const imageId = await cri.pull(reference);
      const pod = await cri.runPod("web");
      const container = await cri.createContainer(pod, imageId, { userSpecifiedImage: reference });
      await cri.start(container);
      const names = await namesIn(containerd, "k8s.io");
      const running = await cri.containers();
      await cri.stop(container);
      await cri.remove(container);
      await cri.stopPod(pod);
      await cri.removePod(pod);
      cri.close();

      expect(imageId).toBe(app.config.digest);
      expect(names).toEqual(
        expect.arrayContaining([reference, `${registry.host}/team/app@${app.manifest.digest}`, app.config.digest]),
      );
      expect(running.map(({ id, imageRef }) => ({ id, imageRef }))).toEqual([{ id: container, imageRef: imageId }]);
      expect((await containerd.ctr("-n", "k8s.io", "containers", "list", "--quiet")).stdout).toBe("");
    });
  });

  describeDaemon(`what a containerd ${version} leaves behind`, [`containerd ${version}`, "registry"], () => {
    test("is nothing, even when containers and pods were never stopped and one is paused", async () => {
      const registry = await startRegistry();
      await pushImage(pause, { registry: registry.url, repository: "pause", tags: ["1"] });
      const sandboxImage = `${registry.host}/pause:1`;
      const containerd = await startContainerd({ version, cri: true, registryHost: registry.host, sandboxImage });
      await containerd.import(app, { names: ["example.org/app:1"] });
      await containerd.runContainer({ image: "example.org/app:1", id: "one" });
      await containerd.ctr("tasks", "pause", "one");
      const cri = await connectCri(containerd);
      await cri.runPod("web");
      cri.close();
      const whileRunning = tracesOf(containerd);
      const sockets = whileRunning.processes.filter(isShim).map(shimSocket);

      await containerd.stop();
      await registry.stop();

      expect(whileRunning.processes).not.toEqual([]);
      expect(whileRunning.mounts).not.toEqual([]);
      expect(tracesOf(containerd)).toEqual({ processes: [], mounts: [], cgroups: [], folder: false });
      expect(sockets).toHaveLength(2);
      expect(sockets.filter((socket) => existsSync(socket))).toEqual([]);
    });
  });
}

async function namesIn(containerd: Containerd, namespace: string): Promise<readonly string[]> {
  const { stdout } = await containerd.ctr("-n", namespace, "images", "list", "--quiet");
  return stdout.split("\n").filter(Boolean);
}

/** What of a daemon can be seen on the machine. */
function tracesOf(containerd: Containerd) {
  const folder = dirname(containerd.root);
  const belongs = ({ args }: { args: readonly string[] }) => args.some((argument) => argument.includes(folder));
  return {
    processes: allProcesses().filter(belongs),
    mounts: mountsBelow(folder),
    cgroups: cgroupFolders(containerd.cgroup.slice(1)),
    folder: existsSync(folder),
  };
}
