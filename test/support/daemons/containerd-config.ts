// The configuration file of a test containerd, in the words of each major version.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerdLine } from "./manifest.ts";

export interface ContainerdSettings {
  readonly version: ContainerdLine;
  /** Everything the daemon writes is below. */
  readonly folder: string;
  readonly socket: string;
  readonly snapshotter: "overlayfs" | "native";
  readonly runc: string;
  /** Undefined: the CRI plugin is off. */
  readonly cri?: {
    readonly sandboxImage: string;
    readonly plainHttpRegistries: readonly string[];
    readonly discardUnpackedLayers: boolean;
  };
}

type Value = string | number | boolean | readonly string[];
type Section = Readonly<Record<string, Value>>;

/** Plugins that need what the machine may lack, or that reach out of the private folder. */
const unneeded = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
];

/** Writes the configuration and what it refers to; returns the path of the file. */
export function writeContainerdConfig(settings: ContainerdSettings): string {
  const file = join(settings.folder, "config.toml");
  writeRegistryHosts(settings);
  writeFileSync(file, toToml(topLevel(settings), sections(settings)));
  return file;
}

function topLevel({ version, folder, cri }: ContainerdSettings): Section {
  return {
    version: isSecondGeneration(version) ? 3 : 2,
    root: join(folder, "root"),
    state: join(folder, "state"),
    disabled_plugins: cri === undefined ? [...unneeded, ...criPlugins(version)] : unneeded,
  };
}

function criPlugins(version: ContainerdLine): readonly string[] {
  const grpc = "io.containerd.grpc.v1.cri";
  return isSecondGeneration(version) ? [grpc, "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"] : [grpc];
}

function sections(settings: ContainerdSettings): Readonly<Record<string, Section>> {
  return {
    grpc: { address: settings.socket },
    // NRI would listen on one socket for all daemons of the machine.
    'plugins."io.containerd.nri.v1.nri"': { disable: true },
    ...(isSecondGeneration(settings.version) ? criSectionsV3(settings) : criSectionsV2(settings)),
  };
}

function criSectionsV2({ cri, folder, snapshotter, runc }: ContainerdSettings): Readonly<Record<string, Section>> {
  if (cri === undefined) return {};
  const plugin = 'plugins."io.containerd.grpc.v1.cri"';
  return {
    [plugin]: { sandbox_image: cri.sandboxImage, ...tolerances },
    [`${plugin}.containerd`]: {
      snapshotter,
      default_runtime_name: "runc",
      discard_unpacked_layers: cri.discardUnpackedLayers,
    },
    ...runtimeSections(`${plugin}.containerd.runtimes.runc`, { folder, runc }),
    [`${plugin}.cni`]: { bin_dir: join(folder, "cni"), conf_dir: join(folder, "cni") },
    [`${plugin}.registry`]: { config_path: registryFolder(folder) },
  };
}

function criSectionsV3({ cri, folder, snapshotter, runc }: ContainerdSettings): Readonly<Record<string, Section>> {
  if (cri === undefined) return {};
  const images = 'plugins."io.containerd.cri.v1.images"';
  const runtime = 'plugins."io.containerd.cri.v1.runtime"';
  return {
    [images]: { snapshotter, discard_unpacked_layers: cri.discardUnpackedLayers },
    [`${images}.pinned_images`]: { sandbox: cri.sandboxImage },
    [`${images}.registry`]: { config_path: registryFolder(folder) },
    [runtime]: tolerances,
    [`${runtime}.containerd`]: { default_runtime_name: "runc" },
    ...runtimeSections(`${runtime}.containerd.runtimes.runc`, { folder, runc }),
    [`${runtime}.cni`]: { bin_dirs: [join(folder, "cni")], conf_dir: join(folder, "cni") },
  };
}

/** Lets CRI run inside another container: without AppArmor, and without CAP_SYS_RESOURCE to lower OOM scores. */
const tolerances: Section = { disable_apparmor: true, restrict_oom_score_adj: true };

function runtimeSections(
  name: string,
  { folder, runc }: { folder: string; runc: string },
): Readonly<Record<string, Section>> {
  return {
    [name]: { runtime_type: "io.containerd.runc.v2" },
    [`${name}.options`]: { BinaryName: runc, Root: runcRoot(folder), SystemdCgroup: false },
  };
}

/** Where runc keeps the state of this daemon's containers. */
export function runcRoot(folder: string): string {
  return join(folder, "runc");
}

/** Where the daemon and `ctr --hosts-dir` look for how to reach a registry. */
export function registryFolder(folder: string): string {
  return join(folder, "certs.d");
}

function writeRegistryHosts({ folder, cri }: ContainerdSettings): void {
  for (const host of cri?.plainHttpRegistries ?? []) {
    const hostFolder = join(registryFolder(folder), host);
    mkdirSync(hostFolder, { recursive: true });
    writeFileSync(
      join(hostFolder, "hosts.toml"),
      toToml({ server: `http://${host}` }, { [`host."http://${host}"`]: { capabilities: ["pull", "resolve"] } }),
    );
  }
}

function isSecondGeneration(version: ContainerdLine): boolean {
  return version.startsWith("2.");
}

function toToml(top: Section, tables: Readonly<Record<string, Section>>): string {
  const blocks = Object.entries(tables).map(([name, section]) => `[${name}]\n${toPairs(section)}`);
  return [toPairs(top), ...blocks].join("\n");
}

/** JSON's strings, numbers, booleans and arrays of strings are TOML as well. */
function toPairs(section: Section): string {
  return Object.entries(section)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join("");
}
