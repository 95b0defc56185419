// Which real daemons this machine has, as scripts/daemons.mjs found or fetched them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

/** The containerd lines that the tests cover. */
export const containerdLines = ["1.6", "1.7", "2.1"] as const;
export type ContainerdLine = (typeof containerdLines)[number];

/** The Docker Engine lines that the tests cover. */
export const dockerLines = ["20.10", "26", "28"] as const;
export type DockerLine = (typeof dockerLines)[number];

const manifestFile = join(import.meta.dirname, "../../../.cache/daemons/daemons.json");

const manifestSchema = z.object({
  missing: z.string().optional(),
  containerd: z.array(
    z.object({
      version: z.enum(containerdLines),
      build: z.string().optional(),
      bin: z.string().optional(),
      missing: z.string().optional(),
    }),
  ),
  docker: z
    .array(
      z.object({
        version: z.enum(dockerLines),
        build: z.string().optional(),
        bin: z.string().optional(),
        containerd: z.string().optional(),
        missing: z.string().optional(),
      }),
    )
    .default([]),
  runc: z.string().optional(),
  registry: z.string().optional(),
  busybox: z.string().optional(),
  podman: z.string().optional(),
});

type Manifest = z.infer<typeof manifestSchema>;

/** A program that is there, or the reason why it is not. */
export type Availability =
  | { readonly kind: "there"; readonly path: string }
  | { readonly kind: "missing"; readonly reason: string };

/** A containerd build that can be started. */
export interface AvailableContainerd {
  readonly version: ContainerdLine;
  /** e.g. `1.6.20~ds1` */
  readonly build: string;
  /** Folder of `containerd`, its shim and `ctr`. */
  readonly bin: string;
}

/** The containerd builds of this machine, oldest first. */
export function availableContainerds(): readonly AvailableContainerd[] {
  return readManifest().containerd.flatMap(({ version, build = version, bin }) =>
    bin === undefined ? [] : [{ version, build, bin }],
  );
}

/** The folder of a containerd line's binaries, or why there is none. */
export function findContainerd(version: ContainerdLine): Availability {
  const manifest = readManifest();
  const line = manifest.containerd.find((one) => one.version === version);
  if (line?.bin !== undefined) return { kind: "there", path: line.bin };
  return { kind: "missing", reason: manifest.missing ?? line?.missing ?? `no containerd ${version}` };
}

/** The folder of a Docker Engine's binaries, or why there is none. */
export function findDocker(version: DockerLine): Availability {
  const manifest = readManifest();
  const line = manifest.docker.find((one) => one.version === version);
  if (line?.bin !== undefined) return { kind: "there", path: line.bin };
  return { kind: "missing", reason: manifest.missing ?? line?.missing ?? `no Docker Engine ${version}` };
}

/** The containerd line that a Docker Engine comes with in its Debian suite. */
export function containerdOfDocker(version: DockerLine): ContainerdLine {
  const manifest = readManifest();
  const folder = manifest.docker.find((one) => one.version === version)?.containerd;
  const line = manifest.containerd.find(({ bin }) => bin !== undefined && bin === folder);
  if (line === undefined)
    throw new Error(`no containerd for Docker Engine ${version}: run \`node scripts/daemons.mjs\``);
  return line.version;
}

export function findProgram(name: "runc" | "registry" | "busybox" | "podman"): Availability {
  const manifest = readManifest();
  const path = manifest[name];
  if (path !== undefined) return { kind: "there", path };
  return { kind: "missing", reason: manifest.missing ?? `${name} was not found: run \`node scripts/daemons.mjs\`` };
}

/** The path, or an error with the reason. */
export function required(found: Availability): string {
  if (found.kind === "missing") throw new Error(found.reason);
  return found.path;
}

function readManifest(): Manifest {
  if (!existsSync(manifestFile))
    return { missing: "daemons were never looked for: run `node scripts/daemons.mjs`", containerd: [], docker: [] };
  return manifestSchema.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
}
