// The node changes between the plan and the removal, or during it: what is needed by now stays.
import { expect, test } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import { findKubernetes } from "../../src/kubernetes/connection.ts";
import type { PodSource } from "../../src/kubernetes/pod-source.ts";
import { watchPods } from "../../src/kubernetes/pods.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { type RoundResult, runRound } from "../../src/reconcile/round.ts";
import { connectContainerd } from "../../src/runtime/containerd/containerd-runtime.ts";
import type { ContainerRuntime } from "../../src/runtime/runtime.ts";
import { startApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { describeCriNodes, describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import { waitFor } from "../support/wait.ts";

describeNodes("a node that changes after the plan", (node) => {
  test("keeps the image of a container that was created meanwhile, and removes the others", async () => {
    const namespace = "created";
    await importRunnable(node(), namespace, ["app", "other"]);

    const result = await roundIn(node(), namespace, {
      afterPlan: () => node().containerd.runContainer({ namespace, image: "example.org/app:1", id: "new" }),
    });

    expect(resultsOf(result)).toEqual({ "example.org/app:1": "in-use", "example.org/other:1": "removed" });
    expect(await node().names(namespace)).toEqual(["example.org/app:1"]);
    expect((await node().containerd.ctr("-n", namespace, "tasks", "list")).stdout).toContain("RUNNING");
  });

  test("keeps the image of a container that was created while other images were being removed", async () => {
    const namespace = "during";
    await importRunnable(node(), namespace, ["a", "b", "c", "zz"]);
    const create = async () => {
      await node().containerd.ctr(
        ...["-n", namespace, "containers", "create", "--snapshotter", node().containerd.snapshotter],
        ...["example.org/zz:1", "new"],
      );
    };

    const result = await roundIn(node(), namespace, { duringFirstRemoval: create });

    expect(resultsOf(result)).toEqual({
      "example.org/a:1": "removed",
      "example.org/b:1": "removed",
      "example.org/c:1": "removed",
      "example.org/zz:1": "in-use",
    });
  });

  test("leaves a tag alone that points to another image by now", async () => {
    const namespace = "retagged";
    await importRunnable(node(), namespace, ["app", "other"]);
    const newer = buildImage({ layers: [buildLayer({ "data/version": "2" })] });

    const result = await roundIn(node(), namespace, {
      afterPlan: () => node().containerd.import(newer, { namespace, names: ["example.org/app:1"] }),
    });

    expect(resultsOf(result)).toEqual({ "example.org/app:1": "moved", "example.org/other:1": "removed" });
    expect(await node().names(namespace)).toEqual(["example.org/app:1"]);
  });

  test("counts a name that somebody else removed as done", async () => {
    const namespace = "gone";
    await importRunnable(node(), namespace, ["app"]);

    const result = await roundIn(node(), namespace, {
      afterPlan: async () => {
        await node().containerd.ctr("-n", namespace, "images", "remove", "example.org/app:1");
      },
    });

    expect(resultsOf(result)).toEqual({ "example.org/app:1": "already-gone" });
  });
});

describeCriNodes("pods that appear after the plan", (node) => {
  test("keep their image although no container of them exists yet", async () => {
    await using api = await startApiServer();
    const { registry, cri } = node();
    const image = busyboxImage({ layers: [buildLayer({ "etc/pod": "late" })] });
    await pushImage(image, { registry: registry.url, repository: "late", tags: ["1"] });
    await cri.pull(`${registry.host}/late:1`);
    const kubeconfig = api.writeKubeconfig(`${node().folder.path}/kubeconfig`);
    const found = await findKubernetes({ mode: "kubernetes", kubeconfig, nodeName: "node-1", env: {} });
    if (found.kind === "none") throw new Error(found.reason);
    const pods = watchPods({ ...found, staleAfterMs: 60_000 });
    pods.start();
    await pods.ready(10_000);

    const result = await roundIn(node(), "k8s.io", {
      pods,
      afterPlan: async () => {
        api.event("ADDED", wirePod("late", { images: [`${registry.host}/late:1`], phase: "Pending" }));
        await waitFor("the pod to be known", () => {
          const view = pods.view();
          return view.kind === "synced" && view.pods.length === 1;
        });
      },
    }).finally(() => pods.stop());

    const results = Object.values(resultsOf(result));
    expect(results).toHaveLength(3);
    expect(new Set(results)).toEqual(new Set(["in-use"]));
    expect(await node().names("k8s.io")).toContain(`${registry.host}/late:1`);
  });
});

interface Meanwhile {
  readonly pods?: PodSource;
  readonly afterPlan?: () => Promise<void>;
  readonly duringFirstRemoval?: () => Promise<void>;
}

/** One round as `prune` makes it, with something that happens in the middle. */
async function roundIn(node: E2eNode, namespace: string, meanwhile: Meanwhile): Promise<RoundResult> {
  const runtime = connectContainerd({ endpoint: node.containerd.endpoint, namespaces: [namespace] });
  try {
    return await runRound({
      runtime:
        meanwhile.duringFirstRemoval === undefined ? runtime : interrupted(runtime, meanwhile.duringFirstRemoval),
      pods: meanwhile.pods ?? noPods,
      clock: systemClock,
      // Nothing is remembered: the image that was imported last goes last.
      history: emptyHistory("record-time"),
      policy: removeAllUnused,
      concurrency: 1,
      callTimeoutMs: 20_000,
      report: () => undefined,
      approve: async () => {
        await meanwhile.afterPlan?.();
        return true;
      },
    });
  } finally {
    await runtime.close();
  }
}

/** The same runtime, where something happens before the first removal comes through. */
function interrupted(runtime: ContainerRuntime, happening: () => Promise<void>): ContainerRuntime {
  let happened: Promise<void> | undefined;
  const removeName: ContainerRuntime["removeName"] = async (...call) => {
    happened ??= happening();
    await happened;
    return runtime.removeName(...call);
  };
  return new Proxy(runtime, {
    get(target, key) {
      if (key === "removeName") return removeName;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

const noPods: PodSource = {
  start: () => undefined,
  view: () => ({ kind: "none" }),
  ready: async () => ({ kind: "none" }),
  onChange: () => () => undefined,
  stop: async () => undefined,
};

function resultsOf(result: RoundResult): Readonly<Record<string, string>> {
  if (result.kind !== "done") throw new Error(`the round was ${result.kind}`);
  return Object.fromEntries(result.outcome.names.map(({ name, result: { kind } }) => [name, kind]));
}

/** Images with layers of their own, each under `example.org/<key>:1`. */
async function importRunnable({ containerd }: E2eNode, namespace: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const image = busyboxImage({ layers: [buildLayer({ "etc/key": `${namespace} ${key}\n` })] });
    await containerd.import(image, { namespace, names: [`example.org/${key}:1`] });
  }
}
