// What tests do to a Docker Engine through its own command line.
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../../src/image/digest.ts";
import type { Container, ContainerState } from "../../../src/image/node-state.ts";
import type { Storable } from "../oci/descriptor.ts";
import { callEngine } from "./docker-api.ts";
import { toDockerTar } from "./docker-archive.ts";

export interface DockerOutput {
  /** Exit code of the command; -1 when it was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DockerCalls {
  /** Runs this version's `docker` against the engine; fails with what it wrote to stderr. */
  docker(...args: readonly string[]): Promise<DockerOutput>;
  /** The same, but an exit code other than 0 is an answer like any other. */
  tryDocker(...args: readonly string[]): Promise<DockerOutput>;
  /** `docker load`: gives an image names, each in full form (`docker.io/library/busybox:latest`). */
  load(image: Storable, names: readonly string[]): Promise<void>;
  /** Every container in any state, as the engine knows it. */
  containers(): Promise<readonly Container[]>;
  /** Ends and removes every container. */
  removeContainers(): Promise<void>;
}

export interface DockerClient {
  /** Folder of `docker`. */
  readonly bin: string;
  readonly socket: string;
  /** For the client's own files and for archives. */
  readonly folder: string;
}

export function dockerCalls(client: DockerClient): DockerCalls {
  const tryDocker = (...args: readonly string[]) => runDocker(client, args);
  const docker = async (...args: readonly string[]) => {
    const output = await tryDocker(...args);
    if (output.code !== 0) throw new Error(`docker ${args.join(" ")}: ${output.stderr.trim()}`);
    return output;
  };
  return {
    docker,
    tryDocker,
    async load(image, names) {
      const archive = join(client.folder, `load-${process.hrtime.bigint()}.tar`);
      writeFileSync(archive, toDockerTar([{ image, names }]));
      try {
        await docker("load", "--quiet", "--input", archive);
      } finally {
        rmSync(archive);
      }
    },
    async containers() {
      const listed = await callEngine<readonly { Id: string }[]>(client.socket, "GET", "/containers/json?all=1");
      const inspect = ({ Id }: { Id: string }) =>
        callEngine<InspectedContainer>(client.socket, "GET", `/containers/${Id}/json`);
      return (await Promise.all(listed.map(inspect))).map(toContainer);
    },
    async removeContainers() {
      const listed = await callEngine<readonly { Id: string }[]>(client.socket, "GET", "/containers/json?all=1");
      await Promise.all(listed.map(({ Id }) => callEngine(client.socket, "DELETE", `/containers/${Id}?force=1`)));
    },
  };
}

/** The environment is private: no context, no credentials and no settings of the person who runs the tests. */
function runDocker({ bin, socket, folder }: DockerClient, args: readonly string[]): Promise<DockerOutput> {
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: folder,
    DOCKER_CONFIG: folder,
    DOCKER_HOST: `unix://${socket}`,
  };
  const settings = { env, timeout: 60_000, maxBuffer: 64 << 20, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    const child = execFile(join(bin, "docker"), args, settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : (child.exitCode ?? -1);
      resolve({ code, stdout, stderr: stderr || (error?.message ?? "") });
    });
  });
}

/** As far as it matters here (Docker Engine API, `ContainerInspect`). */
interface InspectedContainer {
  readonly Id: string;
  readonly Image: string;
  readonly Config: { readonly Image: string };
  readonly State: { readonly Status: string };
  /** What was asked for: in `Mounts` the source of an image mount is already a folder. */
  readonly HostConfig: { readonly Mounts?: readonly { readonly Type: string; readonly Source?: string }[] };
}

function toContainer({ Id, Image, Config, State, HostConfig }: InspectedContainer): Container {
  const imageMounts = (HostConfig.Mounts ?? []).filter(({ Type }) => Type === "image").map(({ Source = "" }) => Source);
  return {
    id: Id,
    image: Config.Image,
    imageId: Image as Digest,
    otherImageIds: [],
    state: stateOf(State.Status),
    kind: "container",
    snapshotKey: "",
    imageMounts,
  };
}

function stateOf(status: string): ContainerState {
  if (status === "created" || status === "paused" || status === "exited") return status;
  if (status === "dead") return "exited";
  return status === "running" || status === "restarting" ? "running" : "unknown";
}
