// Finds the API server and hands out what a request to it needs: address, certificates and credentials, read again when they change.
import { existsSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { KubernetesConfigError } from "./errors.ts";
import type { ConfigSource } from "./kubeconfig.ts";

/** A way to the API server. */
export interface KubernetesConnection {
  /** The base URL, e.g. `https://10.96.0.1:443`. */
  readonly server: string;
  /** Where address and credentials come from, in words. */
  readonly source: string;
  /** Options for one request, with credentials as they are now. Throws when they cannot be read. */
  requestOptions(): Promise<RequestOptions>;
  /** Forgets what is cached: the next request reads files and tokens again. Called after a failure. */
  refresh(): void;
}

/** Whether and how to use Kubernetes, as the user asked. */
export interface KubernetesOptions {
  /** `auto` uses Kubernetes when credentials and a node name are there. */
  readonly mode: "auto" | "kubernetes" | "none";
  /** Path of a kubeconfig; wins over KUBECONFIG, the service account and ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Name of this node; wins over NODE_NAME. */
  readonly nodeName?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the kubelet mounts the service account. */
  readonly serviceAccountDirectory?: string;
}

export type FoundKubernetes =
  | { readonly kind: "kubernetes"; readonly connection: KubernetesConnection; readonly nodeName: string }
  /**
   * Kubernetes is not used; `reason` is one line for people. `hinted`: something in the environment speaks of a cluster, so
   * that this may be a surprise.
   */
  | { readonly kind: "none"; readonly reason: string; readonly hinted: boolean };

const defaultServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Decides whether Kubernetes is used and reads its configuration; does not talk to the server. Throws `KubernetesConfigError`. */
export async function findKubernetes(options: KubernetesOptions): Promise<FoundKubernetes> {
  if (options.mode === "none") {
    return { kind: "none", reason: "pods are not looked at: --pods none", hinted: false };
  }
  const { env } = options;
  const nodeName = options.nodeName || env["NODE_NAME"];
  const source = findSource(options);
  // Somebody who names a kubeconfig wants it used: to go on without pods would be a surprise.
  const required = options.mode === "kubernetes" || options.kubeconfig !== undefined;
  if (!nodeName) {
    const missing =
      "the name of this node is not known: give --node-name, or set NODE_NAME (in a pod from spec.nodeName)";
    return absent(missing, { required, hinted: env["KUBERNETES_SERVICE_HOST"] !== undefined });
  }
  if (source === undefined) {
    const missing =
      "no Kubernetes credentials found: give --kubeconfig, set KUBECONFIG, or run in a pod with a service account";
    return absent(missing, { required, hinted: true });
  }
  return { kind: "kubernetes", connection: await connect(source), nodeName };
}

function absent(
  reason: string,
  { required, hinted }: { readonly required: boolean; readonly hinted: boolean },
): FoundKubernetes {
  if (required) {
    throw new KubernetesConfigError(reason);
  }
  return { kind: "none", reason, hinted };
}

function findSource(options: KubernetesOptions): ConfigSource | undefined {
  const { env } = options;
  if (options.kubeconfig !== undefined) {
    return { kind: "files", paths: [options.kubeconfig], setBy: "--kubeconfig" };
  }
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) {
    return { kind: "files", paths: listed, setBy: "KUBECONFIG" };
  }
  const directory = options.serviceAccountDirectory ?? defaultServiceAccount;
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (host && existsSync(join(directory, "token"))) {
    return { kind: "service-account", directory, host, port: env["KUBERNETES_SERVICE_PORT"] || "443" };
  }
  const home = env["HOME"] ? join(env["HOME"], ".kube", "config") : undefined;
  return home !== undefined && existsSync(home) ? { kind: "files", paths: [home], setBy: "~/.kube/config" } : undefined;
}

async function connect(source: ConfigSource): Promise<KubernetesConnection> {
  const { describeSource, loadKubeConfig } = await import("./kubeconfig.ts");
  const first = await loadKubeConfig(source);
  let server = serverOf(first);
  let current: Promise<KubeConfig> | undefined = Promise.resolve(first);
  return {
    get server() {
      return server;
    },
    source: describeSource(source),
    async requestOptions() {
      current ??= loadKubeConfig(source);
      const config = await current;
      server = serverOf(config);
      return applyCredentials(config);
    },
    refresh() {
      // A new KubeConfig, because the client caches tokens for a minute and keeps its agent's certificates for good.
      current = undefined;
    },
  };
}

async function applyCredentials(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
  const headers = options.headers as Record<string, string>;
  const authorization = headers["Authorization"];
  // Token files often end in a line break, which no header may hold.
  return authorization === undefined
    ? options
    : { ...options, headers: { ...headers, Authorization: authorization.trim() } };
}

function serverOf(config: KubeConfig): string {
  return config.getCurrentCluster()?.server ?? "";
}
