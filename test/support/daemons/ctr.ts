// What tests do to a containerd through `ctr`: import images, run containers.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Storable } from "../oci/descriptor.ts";
import { toLayoutTar } from "../oci/layout.ts";
import { waitFor } from "../wait.ts";
import { type ContainerdSettings, runcRoot } from "./containerd-config.ts";
import { type Output, runProgram } from "./processes.ts";

export interface ImportOptions {
  /** The names of the records, stored exactly like this. */
  readonly names: readonly string[];
  /** Default `default`. */
  readonly namespace?: string;
  /** Default true. */
  readonly unpack?: boolean;
}

export interface ContainerOptions {
  /** Name of the image's record. */
  readonly image: string;
  readonly id: string;
  /** Default: what the image says. */
  readonly args?: readonly string[];
  /** Default `default`. */
  readonly namespace?: string;
}

export interface ContainerReference {
  readonly id: string;
  /** Default `default`. */
  readonly namespace?: string;
}

export interface CtrCalls {
  /** Runs this version's `ctr` against the daemon. */
  ctr(...args: readonly string[]): Promise<Output>;
  import(image: Storable, options: ImportOptions): Promise<void>;
  runContainer(options: ContainerOptions): Promise<void>;
  /** Kills the container's process; the container itself stays, as an exited one. */
  stopContainer(container: ContainerReference): Promise<void>;
  removeContainer(container: ContainerReference): Promise<void>;
}

/** The calls for a daemon whose binaries are in `bin`. `cgroup` has a leading slash. */
export function ctrCalls(settings: ContainerdSettings, { bin, cgroup }: { bin: string; cgroup: string }): CtrCalls {
  const { version, folder, socket, snapshotter, runc } = settings;
  const ctr = (...args: readonly string[]) => runProgram(join(bin, "ctr"), ["--address", socket, ...args]);
  return {
    ctr,
    async import(image, { names, namespace = "default", unpack = true }) {
      const archive = join(folder, `import-${process.hrtime.bigint()}.tar`);
      writeFileSync(archive, toLayoutTar([{ image, names }]));
      // Newer versions import through the daemon's transfer service, which takes one name only.
      const local = version === "1.6" ? [] : ["--local"];
      const flags = [...local, "--snapshotter", snapshotter, ...(unpack ? [] : ["--no-unpack"])];
      try {
        await ctr("-n", namespace, "images", "import", ...flags, archive);
      } finally {
        rmSync(archive);
      }
    },
    async runContainer({ image, id, args = [], namespace = "default" }) {
      const privately = ["--cgroup", `${cgroup}/${namespace}-${id}`, "--runc-root", runcRoot(folder)];
      const flags = ["--detach", "--null-io", "--snapshotter", snapshotter, "--runc-binary", runc, ...privately];
      await ctr("-n", namespace, "run", ...flags, image, id, ...args);
    },
    async stopContainer({ id, namespace = "default" }) {
      await ctr("-n", namespace, "tasks", "kill", "--signal", "SIGKILL", id);
      await waitFor(`container ${id} to stop`, async () => {
        const { stdout } = await ctr("-n", namespace, "tasks", "list");
        return stdout.split("\n").some((row) => row.startsWith(`${id} `) && row.includes("STOPPED"));
      });
      await ctr("-n", namespace, "tasks", "delete", id);
    },
    async removeContainer({ id, namespace = "default" }) {
      await ctr("-n", namespace, "containers", "delete", id);
    },
  };
}
