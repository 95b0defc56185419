// A node for end-to-end tests: a private containerd of one line, a registry, CRI, and prunelet run against them.
import { afterAll, beforeAll } from "vitest";
import { type Containerd, startContainerd } from "./daemons/containerd.ts";
import { type CriClient, connectCri } from "./daemons/cri-client.ts";
import { describeDaemon } from "./daemons/describe-daemon.ts";
import { type ContainerdLine, containerdLines } from "./daemons/manifest.ts";
import { type Registry, startRegistry } from "./daemons/registry.ts";
import type { PruneReport } from "./e2e-report.ts";
import { busyboxImage } from "./oci/busybox.ts";
import { pushImage } from "./oci/push.ts";
import { type RunningPrunelet, type RunOptions, type RunResult, runPrunelet, startPrunelet } from "./prunelet.ts";
import { createTempFolder, type TempFolder } from "./temp.ts";
import { waitFor } from "./wait.ts";

export interface E2eNode {
  readonly containerd: Containerd;
  readonly folder: TempFolder;
  /** Runs prunelet against this node's containerd. */
  prunelet(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  start(args: readonly string[], options?: RunOptions): RunningPrunelet;
  /** `prune --yes -o json`; fails with what prunelet said unless the exit code is 0. */
  prune(args: readonly string[], options?: RunOptions): Promise<PruneReport>;
  /** `plan -o json`, likewise. */
  plan(args: readonly string[], options?: RunOptions): Promise<PruneReport>;
  /** The names that a namespace holds, in byte order. */
  names(namespace?: string): Promise<readonly string[]>;
}

/** A node with CRI and a registry, whose pause image is `<registry>/pause:1`. */
export interface CriNode extends E2eNode {
  readonly cri: CriClient;
  readonly registry: Registry;
}

/** One group of tests for each containerd line, all sharing one daemon without CRI. */
export function describeNodes(
  title: string,
  tests: (node: () => E2eNode, line: ContainerdLine) => void,
  lines: readonly ContainerdLine[] = containerdLines,
): void {
  for (const line of lines) {
    describeDaemon(`${title} (containerd ${line})`, [`containerd ${line}`], () => {
      const nodes = opened(async (onClose) => createNode(await openContainerd({ version: line }, onClose), onClose));
      tests(nodes, line);
    });
  }
}

/** The same with CRI and a registry. */
export function describeCriNodes(title: string, tests: (node: () => CriNode, line: ContainerdLine) => void): void {
  for (const line of containerdLines) {
    describeDaemon(`${title} (containerd ${line})`, [`containerd ${line}`, "registry"], () => {
      tests(
        opened((onClose) => openCriNode(line, onClose)),
        line,
      );
    });
  }
}

/** The names once they stay as they are: what a daemon was asked before its client was gone, it may still do. */
export function settledNames(node: E2eNode, namespace?: string): Promise<readonly string[]> {
  let before: readonly string[] | undefined;
  const look = async () => {
    const names = await node.names(namespace);
    const same = names.join() === before?.join();
    before = names;
    return same ? names : undefined;
  };
  return waitFor("the names to stay as they are", look, { intervalMs: 500 });
}

type OnClose = (close: () => unknown) => void;

/** Opens before all tests of the group and closes afterwards what was opened, the latest first, also after a failure. */
function opened<Node>(open: (onClose: OnClose) => Promise<Node>): () => Node {
  let node: Node | undefined;
  const closers: (() => unknown)[] = [];
  beforeAll(async () => {
    node = await open((close) => closers.unshift(close));
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  return () => {
    if (node === undefined) throw new Error("the node is open only while tests run");
    return node;
  };
}

async function openCriNode(version: ContainerdLine, onClose: OnClose): Promise<CriNode> {
  const registry = await startRegistry();
  onClose(() => registry.stop());
  await pushImage(pauseImage(), { registry: registry.url, repository: "pause", tags: ["1"] });
  const sandboxImage = `${registry.host}/pause:1`;
  const options = { version, cri: true, registryHost: registry.host, sandboxImage };
  const containerd = await openContainerd(options, onClose);
  const cri = await connectCri(containerd);
  onClose(() => cri.close());
  return { ...createNode(containerd, onClose), cri, registry };
}

async function openContainerd(options: Parameters<typeof startContainerd>[0], onClose: OnClose): Promise<Containerd> {
  const containerd = await startContainerd(options);
  onClose(() => containerd.stop());
  return containerd;
}

/** The image of pod sandboxes: like any other, with an ID of its own. */
export function pauseImage() {
  return busyboxImage({ labels: { app: "pause" } });
}

function createNode(containerd: Containerd, onClose: OnClose): E2eNode {
  const folder = createTempFolder();
  onClose(() => folder.remove());
  const whole = (args: readonly string[]) => [...args, "--endpoint", containerd.endpoint];
  const report = async (args: readonly string[], options?: RunOptions) => {
    const result = await runPrunelet(whole([...args, "-o", "json"]), options);
    if (result.code !== 0)
      throw new Error(`${args.join(" ")} ended with ${result.code}: ${result.stderr}${result.stdout}`);
    return result.json() as PruneReport;
  };
  return {
    containerd,
    folder,
    prunelet: (args, options) => runPrunelet(whole(args), options),
    start: (args, options) => startPrunelet(whole(args), options),
    prune: (args, options) => report(["prune", "--yes", ...args], options),
    plan: (args, options) => report(["plan", ...args], options),
    async names(namespace = "default") {
      const { stdout } = await containerd.ctr("-n", namespace, "images", "list", "--quiet");
      return stdout.split("\n").filter(Boolean).sort();
    },
  };
}
