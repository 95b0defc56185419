// The Docker Engines that the comparisons run on: each line starts beside the machine's own, works, and leaves nothing.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { cgroupFolders } from "../support/daemons/cgroups.ts";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { type Docker, everyEngine, startDocker } from "../support/daemons/docker.ts";
import { allProcesses } from "../support/daemons/processes.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { mountsBelow } from "../support/temp.ts";

const image = busyboxImage();

for (const options of everyEngine) {
  describeDaemon(
    `Docker Engine ${options.version} with the ${options.store} store`,
    [`docker ${options.version}`],
    () => {
      test("loads an image, runs containers without network and with the machine's, and leaves nothing", async () => {
        const docker = await startDocker(options);
        try {
          await docker.load(image, ["docker.io/library/busybox:latest", "docker.io/library/other:1"]);
          for (const network of ["none", "host"]) {
            await docker.docker("run", "--detach", "--pull", "never", "--network", network, "busybox");
          }
          const id = options.store === "containerd" ? image.target.digest : image.config.digest;
          const seen = await docker.containers();
          const tags = await docker.docker("images", "--format", "{{.Repository}}:{{.Tag}}");

          expect(seen).toMatchObject([
            { image: "busybox", imageId: id, state: "running" },
            { image: "busybox", imageId: id, state: "running" },
          ]);
          expect(tags.stdout.trim().split("\n").sort()).toEqual(["busybox:latest", "other:1"]);
        } finally {
          await docker.stop();
        }

        expect(leftOf(docker)).toEqual({ folders: [], mounts: [], processes: [], cgroups: [] });
      });
    },
  );
}

function leftOf({ socket, containerd }: Docker) {
  const folders = [dirname(socket), dirname(containerd.socket)];
  return {
    folders: folders.filter((folder) => existsSync(folder)),
    mounts: folders.flatMap(mountsBelow),
    processes: allProcesses().filter(({ args }) =>
      folders.some((folder) => args.some((text) => text.startsWith(folder))),
    ),
    cgroups: cgroupFolders(containerd.cgroup.slice(1)),
  };
}
