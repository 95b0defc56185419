// Whether Kubernetes is used, where its configuration comes from, and what is said when it cannot work.
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findKubernetes } from "../../src/kubernetes/connection.ts";
import { writeKubeconfig } from "../support/api-server/kubeconfig.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const server = "https://kubernetes.example:6443";
const noServiceAccount = { serviceAccountDirectory: "/nonexistent/service-account" };

test("does not look at pods in mode none", async () => {
  const found = await findKubernetes({ mode: "none", nodeName: "n", kubeconfig: "/nonexistent", env: {} });

  expect(found).toEqual({ kind: "none", reason: expect.stringContaining("--pods none"), hinted: false });
});

test("auto goes without pods when there are no credentials", async () => {
  const found = await findKubernetes({ mode: "auto", nodeName: "n", env: {}, ...noServiceAccount });

  expect(found).toEqual({
    kind: "none",
    reason: expect.stringContaining("no Kubernetes credentials found"),
    hinted: true,
  });
});

test("auto goes without pods when the node has no name", async () => {
  const env = { KUBECONFIG: writeKubeconfig(`${temporaryFolder()}/config`, { server }) };

  const found = await findKubernetes({ mode: "auto", env, ...noServiceAccount });

  expect(found).toEqual({ kind: "none", reason: expect.stringMatching(/--node-name.*NODE_NAME/), hinted: false });
});

test("auto uses KUBECONFIG and NODE_NAME", async () => {
  const path = writeKubeconfig(`${temporaryFolder()}/config`, { server });

  const found = await findKubernetes({ mode: "auto", env: { KUBECONFIG: path, NODE_NAME: "n" }, ...noServiceAccount });

  expect(found).toMatchObject({
    kind: "kubernetes",
    nodeName: "n",
    connection: { server, source: `kubeconfig ${path}` },
  });
});

test("the flags win over the environment", async () => {
  const folder = temporaryFolder();
  const kubeconfig = writeKubeconfig(`${folder}/flag`, { server: "https://flag.example" });
  const env = { KUBECONFIG: writeKubeconfig(`${folder}/env`, { server }), NODE_NAME: "from-env" };

  const found = await findKubernetes({ mode: "auto", kubeconfig, nodeName: "from-flag", env });

  expect(found).toMatchObject({ nodeName: "from-flag", connection: { server: "https://flag.example" } });
});

test("the service account wins over the kubeconfig of a home folder, and an IPv6 address gets its brackets", async () => {
  const home = temporaryFolder();
  mkdirSync(`${home}/.kube`);
  writeKubeconfig(`${home}/.kube/config`, { server });
  const directory = temporaryFolder();
  writeFileSync(`${directory}/token`, "secret");
  const base = { HOME: home, NODE_NAME: "n" };

  const inPod = await findKubernetes({
    mode: "auto",
    env: { ...base, KUBERNETES_SERVICE_HOST: "fd00::1" },
    serviceAccountDirectory: directory,
  });
  const atHome = await findKubernetes({ mode: "auto", env: base, serviceAccountDirectory: directory });

  expect(inPod).toMatchObject({ connection: { server: "https://[fd00::1]:443" } });
  expect(atHome).toMatchObject({ connection: { server } });
});

test("merges the files of KUBECONFIG as kubectl does: missing ones are skipped and the first entry wins", async () => {
  const folder = temporaryFolder();
  const first = writeKubeconfig(`${folder}/first`, { server });
  const second = writeKubeconfig(`${folder}/second`, { server: "https://other.example" });
  const env = { KUBECONFIG: `${folder}/missing:${first}:${second}`, NODE_NAME: "n" };

  const found = await findKubernetes({ mode: "kubernetes", env });

  expect(found).toMatchObject({ connection: { server } });
});

const clusters = [{ name: "c", cluster: { server } }];
const contexts = [{ name: "x", context: { cluster: "c", user: "u" } }];

test.each([
  {
    why: "no YAML",
    text: "a: [",
    message: /^cannot read kubeconfig \S+: .*Correct the file, or name another with --kubeconfig$/,
  },
  { why: "a list", text: "[]", message: /it is not a YAML mapping/ },
  { why: "an empty file", text: "", message: /it is not a YAML mapping/ },
  {
    why: "a cluster without server",
    text: JSON.stringify({ clusters: [{ name: "c", cluster: {} }] }),
    message: /server is missing/,
  },
  {
    why: "a CA that is not there",
    text: JSON.stringify({
      ...{ contexts: [{ name: "x", context: { cluster: "c" } }], "current-context": "x" },
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", "certificate-authority": "/none/ca.crt" } }],
    }),
    message: /certificate-authority is \/none\/ca\.crt, and there is no such file: correct the path/,
  },
  ...["client-certificate", "client-key", "tokenFile"].map((key) => ({
    why: `a ${key} that is not there`,
    text: JSON.stringify({
      clusters,
      contexts,
      "current-context": "x",
      users: [{ name: "u", user: { [key]: "none/x" } }],
    }),
    message: new RegExp(`${key} is /.*none/x, and there is no such file: correct the path`),
  })),
  {
    why: "no current context",
    text: JSON.stringify({ clusters, contexts }),
    message: /current-context is missing: set it/,
  },
  {
    why: "an unknown context",
    text: JSON.stringify({ clusters, contexts, "current-context": "y" }),
    message: /there is no context y: correct current-context/,
  },
  {
    why: "an unknown cluster",
    text: JSON.stringify({ contexts, "current-context": "x" }),
    message: /names the cluster c, which is not there/,
  },
  {
    why: "an unknown user",
    text: JSON.stringify({ clusters, contexts, "current-context": "x" }),
    message: /names the user u, which is not there/,
  },
  {
    why: "a server that is no URL",
    text: JSON.stringify({
      clusters: [{ name: "c", cluster: { server: "host" } }],
      contexts: [{ name: "x", context: { cluster: "c" } }],
      "current-context": "x",
    }),
    message: /the cluster's server is "host": set it to a URL/,
  },
])("refuses a kubeconfig with $why in one line", async ({ text, message }) => {
  const kubeconfig = `${temporaryFolder()}/config`;
  writeFileSync(kubeconfig, text);

  const finding = findKubernetes({ mode: "auto", kubeconfig, nodeName: "n", env: {} });

  await expect(finding).rejects.toThrow(message);
  await expect(finding).rejects.toMatchObject({
    name: "KubernetesConfigError",
    message: expect.not.stringContaining("\n"),
  });
});

test("refuses a kubeconfig that is not there, naming who asked for it", async () => {
  const byFlag = findKubernetes({ mode: "auto", kubeconfig: "/nonexistent", nodeName: "n", env: {} });
  const byEnv = findKubernetes({ mode: "auto", nodeName: "n", env: { KUBECONFIG: "/nonexistent" } });

  await expect(byFlag).rejects.toThrow("no kubeconfig at /nonexistent: correct the path in --kubeconfig, or remove it");
  await expect(byEnv).rejects.toThrow("no kubeconfig at /nonexistent: correct the path in KUBECONFIG, or remove it");
});

test("mode kubernetes needs a node name and credentials", async () => {
  const unnamed = findKubernetes({ mode: "kubernetes", env: {}, ...noServiceAccount });
  const bare = findKubernetes({ mode: "kubernetes", env: { NODE_NAME: "n" }, ...noServiceAccount });

  await expect(unnamed).rejects.toThrow(/give --node-name, or set NODE_NAME/);
  await expect(bare).rejects.toThrow(/give --kubeconfig, set KUBECONFIG, or run in a pod/);
});

test("a kubeconfig that was named is never silently ignored", async () => {
  const kubeconfig = writeKubeconfig(`${temporaryFolder()}/config`, { server });

  await expect(findKubernetes({ mode: "auto", kubeconfig, env: {} })).rejects.toThrow(/--node-name/);
});
