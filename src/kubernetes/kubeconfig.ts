// Loads kubeconfig files and the service account of a pod into the official client's KubeConfig, and refuses what cannot work.
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { Cluster, User } from "@kubernetes/client-node/dist/config_types.js";
import { parse } from "yaml";
import { KubernetesConfigError, messageOf } from "./errors.ts";

/** Where the address and the credentials of the API server come from. */
export type ConfigSource =
  | { readonly kind: "files"; readonly paths: readonly string[]; readonly setBy: string }
  | { readonly kind: "service-account"; readonly directory: string; readonly host: string; readonly port: string };

/** One line for people. */
export function describeSource(source: ConfigSource): string {
  return source.kind === "files" ? `kubeconfig ${source.paths.join(", ")}` : `service account ${source.directory}`;
}

/** Reads the source now. Throws `KubernetesConfigError`. */
export async function loadKubeConfig(source: ConfigSource): Promise<KubeConfig> {
  // The client costs megabytes of memory: loaded only when Kubernetes is used, and not through its index, which costs twice that.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  if (source.kind === "service-account") {
    return fromServiceAccount(new KubeConfig(), source);
  }
  const present = source.paths.filter((path) => existsSync(path));
  if (present.length === 0) {
    throw new KubernetesConfigError(
      `no kubeconfig at ${source.paths.join(", ")}: correct the path in ${source.setBy}, or remove it`,
    );
  }
  const merged = new KubeConfig();
  for (const path of present) {
    addMissing(merged, readFile(new KubeConfig(), path));
  }
  return checked(merged, describeSource(source));
}

function fromServiceAccount(config: KubeConfig, source: ConfigSource & { kind: "service-account" }): KubeConfig {
  const host = source.host.includes(":") ? `[${source.host}]` : source.host;
  config.loadFromClusterAndUser(
    {
      name: "in-cluster",
      server: `https://${host}:${source.port}`,
      caFile: join(source.directory, "ca.crt"),
      skipTLSVerify: false,
    },
    {
      name: "service-account",
      authProvider: { name: "tokenFile", config: { tokenFile: join(source.directory, "token") } },
    },
  );
  return config;
}

function readFile(config: KubeConfig, path: string): KubeConfig {
  try {
    const content: unknown = parse(readFileSync(path, "utf8"));
    if (content === null || typeof content !== "object" || Array.isArray(content)) {
      throw new Error("it is not a YAML mapping");
    }
    config.loadFromString(JSON.stringify(withTokenFiles(content as KubeconfigFile, dirname(path))));
    config.makePathsAbsolute(dirname(path));
    return config;
  } catch (error) {
    throw new KubernetesConfigError(
      `cannot read kubeconfig ${path}: ${messageOf(error)}. Correct the file, or name another with --kubeconfig`,
      error,
    );
  }
}

interface KubeconfigFile {
  readonly users?: readonly { readonly user?: { readonly tokenFile?: string; readonly token?: string } }[];
}

/** The client looks for `token-file`, but a kubeconfig says `tokenFile`: told as an auth provider, it reads the file again by itself. */
function withTokenFiles(content: KubeconfigFile, directory: string): KubeconfigFile {
  if (!Array.isArray(content.users)) {
    return content;
  }
  const users = content.users.map((entry) => {
    const tokenFile = entry?.user?.tokenFile;
    if (typeof tokenFile !== "string" || tokenFile === "") {
      return entry;
    }
    const path = isAbsolute(tokenFile) ? tokenFile : join(directory, tokenFile);
    const provider = { name: "tokenFile", config: { tokenFile: path } };
    // As in kubectl, the file wins over a token written beside it.
    return { ...entry, user: { ...entry.user, token: undefined, "auth-provider": provider } };
  });
  return { ...content, users };
}

/** kubectl's rule for several files: whoever comes first wins. */
function addMissing(target: KubeConfig, more: KubeConfig): void {
  target.clusters = withNew(target.clusters, more.clusters);
  target.users = withNew(target.users, more.users);
  target.contexts = withNew(target.contexts, more.contexts);
  if (!target.currentContext && more.currentContext) {
    target.setCurrentContext(more.currentContext);
  }
}

function withNew<T extends { readonly name: string }>(known: T[], more: readonly T[]): T[] {
  return [...known, ...more.filter((entry) => !known.some((old) => old.name === entry.name))];
}

function checked(config: KubeConfig, where: string): KubeConfig {
  const context = config.getContextObject(config.getCurrentContext() ?? "");
  if (context === null) {
    const name = config.getCurrentContext();
    throw new KubernetesConfigError(
      name
        ? `${where}: there is no context ${name}: correct current-context`
        : `${where}: current-context is missing: set it`,
    );
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null) {
    throw new KubernetesConfigError(
      `${where}: context ${context.name} names the cluster ${context.cluster}, which is not there: add it under clusters`,
    );
  }
  if (context.user && config.getUser(context.user) === null) {
    throw new KubernetesConfigError(
      `${where}: context ${context.name} names the user ${context.user}, which is not there: add it under users`,
    );
  }
  const server = serverUrl(cluster.server, where);
  // Without a user the client would also skip the cluster's CA; plain HTTP has no certificate that could be verified.
  const user = (context.user ? config.getUser(context.user) : null) ?? { name: "anonymous" };
  refuseMissingFiles(cluster, user, where);
  const prepared = server.protocol === "http:" ? { ...cluster, skipTLSVerify: true } : cluster;
  config.loadFromClusterAndUser(prepared, user);
  return config;
}

/** What the kubeconfig points to has to be there: without it every request would fail, again and again. */
function refuseMissingFiles(cluster: Cluster, user: User, where: string): void {
  const files: readonly (readonly [key: string, path: string | undefined])[] = [
    ["certificate-authority", cluster.caFile],
    ["client-certificate", user.certFile],
    ["client-key", user.keyFile],
    ["tokenFile", user.authProvider?.config?.tokenFile],
  ];
  for (const [key, path] of files) {
    if (!path || existsSync(path)) continue;
    throw new KubernetesConfigError(`${where}: ${key} is ${path}, and there is no such file: correct the path`);
  }
}

function serverUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new KubernetesConfigError(
      `${where}: the cluster's server is "${text}": set it to a URL like https://host:6443`,
    );
  }
  return url;
}
