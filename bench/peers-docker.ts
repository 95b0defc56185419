// Pruning a Docker host: prunelet against `docker image prune --all --force`, on the same images in the same engine.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Docker, type DockerOptions, startDocker } from "../test/support/daemons/docker.ts";
import { callEngine } from "../test/support/daemons/docker-api.ts";
import { toDockerTar } from "../test/support/daemons/docker-archive.ts";
import { findDocker, required } from "../test/support/daemons/manifest.ts";
import { buildImage } from "../test/support/oci/image.ts";
import { buildLayer } from "../test/support/oci/layer.ts";
import { createTempFolder, type TempFolder } from "../test/support/temp.ts";
import type { BenchContext, Figure } from "./benchmark.ts";
import { figuresOfDuel, type PeerRun, takeTurns } from "./peer-run.ts";
import { cpuSeconds, type Finished, measureProgram } from "./process-usage.ts";
import { inMemory, untilQuietCpu } from "./store/filled-node.ts";

const peer = "docker image prune --all";
/** So many images stand on one base layer. */
const familySize = 20;

type Prune = (docker: Docker) => Promise<Finished>;

/** Compares on one engine with one image store. */
export async function dockerPeers(
  { version, store }: Pick<DockerOptions, "version" | "store">,
  { context, count }: { context: BenchContext; count: number },
): Promise<readonly Figure[]> {
  const where = `Docker Engine ${version}, ${store} store`;
  const template = await inMemory(() => writeTemplate({ version, store }, count));
  context.log(`${where}: wrote a store of ${count} images`);
  const byPrunelet: Prune = ({ socket, data }) => {
    const files = ["--state-file", join(data, "state.json"), "--audit-file", join(data, "audit.jsonl")];
    const place = ["--runtime", "docker", "--endpoint", `unix://${socket}`, ...files];
    return measureProgram(process.execPath, [
      context.program,
      ...["prune", "--yes", "--pods", "none", "-o", "json", ...place],
    ]);
  };
  const byDocker: Prune = ({ socket }) => {
    const client = join(required(findDocker(version)), "docker");
    const env = { DOCKER_HOST: `unix://${socket}`, HOME: template.path };
    return measureProgram(client, ["image", "prune", "--all", "--force"], { mayFail: true, env });
  };
  const run = (name: string, prune: Prune) => async (): Promise<PeerRun> => {
    const docker = await startDocker({ version, store, prepare: (place) => copyTemplate(template, place) });
    try {
      await checkFilled(docker, count);
      const result = await measure(docker, prune);
      context.log(`${where}: ${name}: ${result.seconds.toFixed(2)} s, ${result.left} left, ${result.errors} errors`);
      return result;
    } finally {
      await docker.stop();
    }
  };
  try {
    const turns = await takeTurns(context.runs, { own: run("prunelet", byPrunelet), theirs: run(peer, byDocker) });
    return figuresOfDuel({ where, peer, ...turns });
  } finally {
    template.remove();
  }
}

/** Loads the images once and keeps what the daemons wrote. */
async function writeTemplate(options: Pick<DockerOptions, "version" | "store">, count: number): Promise<TempFolder> {
  const template = createTempFolder();
  const archive = join(template.path, "images.tar");
  writeFileSync(archive, toDockerTar(imagesOf(count)));
  const docker = await startDocker(options);
  try {
    await docker.docker("load", "--quiet", "--input", archive);
    process.kill(docker.pid, "SIGKILL");
    await docker.containerd.kill();
    // Copied, because the engine mounts its folder upon itself.
    copyFolder(docker.data, join(template.path, "data"));
    copyFolder(docker.containerd.root, join(template.path, "containerd"));
  } finally {
    await docker.stop();
  }
  return template;
}

function imagesOf(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const base = buildLayer({ "base/text": `family ${Math.floor(i / familySize)}` });
    const own = buildLayer({ "own/text": `image ${i}`.padEnd(4096, ".") });
    return { image: buildImage({ layers: [base, own] }), names: [`registry.example.com/service-${i}:1`] };
  });
}

async function copyTemplate(
  { path }: TempFolder,
  { data, containerd }: Parameters<NonNullable<DockerOptions["prepare"]>>[0],
): Promise<void> {
  await containerd.kill();
  copyFolder(join(path, "containerd"), containerd.root);
  copyFolder(join(path, "data"), data);
  await containerd.restart();
}

/** By `cp`, which keeps the relative links and the attributes that overlays need. */
function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const { status, stderr } = spawnSync("cp", ["--archive", `${from}/.`, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot copy ${from}: ${stderr}`);
}

async function measure(docker: Docker, prune: Prune): Promise<PeerRun> {
  const cpuOf = () => cpuSeconds(docker.pid) + cpuSeconds(docker.containerd.pid());
  await untilQuietCpu(cpuOf);
  const before = cpuOf();
  const { seconds, cpu, peak, stderr } = await prune(docker);
  await untilQuietCpu(cpuOf);
  const errors = stderr.split("\n").filter((line) => /error/i.test(line)).length;
  return { seconds, cpu, peak, daemonCpu: cpuOf() - before, errors, left: await imageCount(docker) };
}

async function checkFilled(docker: Docker, count: number): Promise<void> {
  const found = await imageCount(docker);
  if (found !== count) throw new Error(`the engine holds ${found} images instead of ${count}`);
}

async function imageCount({ socket }: Docker): Promise<number> {
  return (await callEngine<readonly unknown[]>(socket, "GET", "/images/json")).length;
}
