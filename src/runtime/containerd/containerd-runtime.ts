// The containerd adapter: the runtime port over containerd's own gRPC interface, with CRI's help where it answers.
import { randomUUID } from "node:crypto";
import type { Digest } from "../../image/digest.ts";
import type { Container, ImageName } from "../../image/node-state.ts";
import { CriLink } from "../cri/cri-link.ts";
import { type FilesystemProbe, filesystemsOf, probeFilesystem } from "../filesystems.ts";
import { ownRootUsage } from "../own-root.ts";
import type {
  CallOptions,
  Capabilities,
  ContainerRuntime,
  Content,
  CreationResult,
  FilesystemUsage,
  NameRecord,
  ObserveOptions,
  RemovalResult,
  RuntimeEvent,
  RuntimeInfo,
  RuntimeState,
} from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type CallObserver, type Scope, scopeOf } from "../wire/calls.ts";
import { socketPath } from "../wire/endpoint.ts";
import { isAtLeast, parseVersion } from "../wire/version.ts";
import { type Connection, openConnection } from "./connection.ts";
import { createName } from "./create-name.ts";
import { subscribe } from "./events.ts";
import { FactReader } from "./fact-reader.ts";
import { expiryLabel } from "./gc-labels.ts";
import { hostPlatform } from "./host-platform.ts";
import { type KnownNamespace, type NamespaceSeen, observeNamespace } from "./observe-namespace.ts";
import { storagePlugins } from "./plugins.ts";
import { readBlob } from "./read-blob.ts";
import { forEachBlob, type Reading } from "./read-inventory.ts";
import { readName, readUseRecords, resolveUses } from "./read-uses.ts";
import { remainingOf } from "./remaining.ts";
import { removeName } from "./remove-name.ts";
import { readWritableSnapshots } from "./writable-snapshots.ts";

/** The namespace that CRI works in; it knows no other. */
const criNamespace = "k8s.io";
/** Milliseconds after which the lease that asks for a collection ends by itself, should we die in between. */
const collectLeaseMs = 10 * 60_000;

export interface ContainerdOptions {
  /** The daemon's socket, e.g. `unix:///run/containerd/containerd.sock`. */
  readonly endpoint: string;
  /** The namespaces to work in, e.g. `["k8s.io"]`. */
  readonly namespaces: readonly string[];
  /** Told about every call that was made. */
  readonly onCall?: CallObserver;
  /** Looks at filesystems; the kernel's answer by default. */
  readonly statfs?: FilesystemProbe;
}

/** A runtime that speaks to containerd. Opens no connection before it is asked something. */
export function connectContainerd(options: ContainerdOptions): ContainerRuntime {
  return new ContainerdRuntime(options);
}

const everyKind: readonly RuntimeEvent["kind"][] = ["image", "container"];

/** What one observation leaves for the questions after it. */
interface Known {
  readonly snapshotters: readonly string[];
  readonly namespaces: ReadonlyMap<string, KnownNamespace>;
  readonly withMounts: boolean;
  readonly daemonCompares: boolean;
}

class ContainerdRuntime implements ContainerRuntime {
  readonly kind = "containerd";
  readonly #namespaces: readonly string[];
  readonly #connection: Connection;
  readonly #probe: FilesystemProbe;
  readonly #cri: CriLink;
  readonly #facts = new FactReader();
  readonly #host = hostPlatform();
  #known: Known | undefined;

  constructor(options: ContainerdOptions) {
    this.#namespaces = [...new Set(options.namespaces)];
    this.#connection = openConnection(socketPath(options.endpoint), options.onCall);
    this.#probe = options.statfs ?? probeFilesystem;
    this.#cri = new CriLink(this.#connection.cri);
  }

  async info(options?: CallOptions): Promise<RuntimeInfo> {
    const scope = scopeOf(options);
    const version = await this.#version(scope);
    const cri = await this.#cri.probe(scope);
    return {
      kind: this.kind,
      version,
      apiVersions: { containerd: "v1", ...(cri ? { cri: cri.apiVersion } : {}) },
      capabilities: { ...this.capabilities, compareAndDelete: parseVersion(version).major >= 2 },
    };
  }

  get capabilities(): Capabilities {
    return {
      untag: true,
      exactBytes: true,
      content: true,
      createNames: true,
      compareAndDelete: this.#known?.daemonCompares ?? false,
      pinnedImages: true,
      namespaces: true,
      nameRecords: true,
      events: true,
      allContainers: true,
    };
  }

  async observe(options?: ObserveOptions): Promise<RuntimeState> {
    const scope = scopeOf(options);
    const existing = await this.#checkedNamespaces(scope);
    const version = await this.#version(scope);
    const { snapshotters } = await storagePlugins(this.#connection, scope);
    // Image volumes came with containerd 2.1; before, asking every container for its mounts would be in vain.
    const withMounts = isAtLeast(version, 2, 1);
    if (this.#namespaces.includes(criNamespace)) await this.#cri.probe(scope);
    const foreignBlobs = await this.#foreignBlobs(existing, scope);
    const configs = options?.imageConfigs ?? true;
    const shared = { snapshotters, withMounts, facts: this.#facts, configs, host: this.#host };
    const seen: NamespaceSeen[] = [];
    for (const namespace of this.#namespaces) {
      const question = { ...shared, cri: this.#criOf(namespace), before: this.#known?.namespaces.get(namespace) };
      seen.push(await observeNamespace(this.#reading(namespace, scope), question));
    }
    this.#facts.retain((digest) => seen.some(({ known }) => known.inventory.blobs.has(digest)));
    const namespaces = new Map(seen.map(({ state, known }) => [state.name, known]));
    this.#known = { snapshotters, namespaces, withMounts, daemonCompares: isAtLeast(version, 2, 0) };
    return { runtime: { kind: this.kind, version }, namespaces: seen.map(({ state }) => state), foreignBlobs };
  }

  async containers(namespace: string, options?: CallOptions): Promise<readonly Container[]> {
    if (!this.#namespaces.includes(namespace)) this.#refuse(namespace);
    const scope = scopeOf(options);
    const resolver = this.#known?.namespaces.get(namespace)?.resolver;
    if (!this.#known || !resolver) {
      const state = await this.observe(options);
      return state.namespaces.find(({ name }) => name === namespace)?.containers ?? [];
    }
    const { snapshotters, withMounts } = this.#known;
    const cri = this.#criOf(namespace);
    const readCri = async () => cri?.view(scope, withMounts);
    const reading = this.#reading(namespace, scope);
    const readWritable = () => readWritableSnapshots(reading, snapshotters);
    return resolveUses(reading, await readUseRecords(reading, { readCri, readWritable }), resolver);
  }

  async findName(namespace: string, name: string, options?: CallOptions): Promise<ImageName | undefined> {
    return readName(this.#reading(namespace, scopeOf(options)), name);
  }

  async removeName(namespace: string, name: string, target: Digest, options?: CallOptions): Promise<RemovalResult> {
    const daemonCompares = this.#known?.daemonCompares ?? false;
    return removeName(this.#reading(namespace, scopeOf(options)), { name, target, daemonCompares });
  }

  async removeImage(): Promise<never> {
    throw new RuntimeError("unsupported", "remove image", "names are removed one by one here");
  }

  async createName(namespace: string, name: NameRecord, options?: CallOptions): Promise<CreationResult> {
    return createName(this.#reading(namespace, scopeOf(options)), name);
  }

  /** Ends a throw-away lease synchronously, the cheapest thing that the daemon answers only after a collection. */
  async collect(options?: CallOptions): Promise<void> {
    const scope = scopeOf(options);
    await this.#checkedNamespaces(scope);
    const [namespace] = this.#namespaces;
    if (namespace === undefined) return;
    const { leases } = this.#connection.clients;
    const id = `prunelet-collect-${randomUUID()}`;
    const labels = expiryLabel(Date.now() + collectLeaseMs);
    await this.#connection.call({ operation: "create lease", namespace }, scope, (wire) =>
      leases.create({ id, labels }, wire),
    );
    await this.#connection.call({ operation: "collect garbage", namespace, deadline: "collection" }, scope, (wire) =>
      leases.delete({ id, sync: true }, wire),
    );
  }

  async remaining(namespace: string, content: Content, options?: CallOptions): Promise<Content> {
    const scope = scopeOf(options);
    const existing = await this.#existingNamespaces(scope);
    return remainingOf(this.#reading(namespace, scope), content, existing);
  }

  readBlob(namespace: string, digest: Digest, options?: CallOptions): AsyncIterable<Uint8Array> {
    return readBlob({ connection: this.#connection, namespace }, digest, options);
  }

  events(signal: AbortSignal, kinds = everyKind): AsyncIterable<RuntimeEvent> {
    return subscribe(this.#connection, { namespaces: this.#namespaces, kinds }, signal);
  }

  /** Content is known exactly here: nothing needs the daemon's sums. */
  async imageUsage(): Promise<undefined> {
    return undefined;
  }

  async filesystems(options?: CallOptions): Promise<readonly FilesystemUsage[]> {
    const scope = scopeOf(options);
    const { roots } = await storagePlugins(this.#connection, scope);
    const found = await filesystemsOf(roots, this.#probe);
    if (found.length > 0) return found;
    const own = await ownRootUsage(roots);
    if (own !== undefined) return [own];
    const [first] = await this.#cri.imageFilesystems(scope);
    const mountpoint = first?.fsId?.mountpoint;
    return mountpoint ? filesystemsOf([mountpoint], this.#probe) : [];
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #reading(namespace: string, scope: Scope): Reading {
    return { connection: this.#connection, namespace, scope };
  }

  #criOf(namespace: string): CriLink | undefined {
    return namespace === criNamespace ? this.#cri : undefined;
  }

  async #version(scope: Scope): Promise<string> {
    const { version } = await this.#connection.call({ operation: "version" }, scope, (wire) =>
      this.#connection.clients.version.version({}, wire),
    );
    return version.replace(/^v/, "");
  }

  async #existingNamespaces(scope: Scope): Promise<readonly string[]> {
    const { namespaces } = await this.#connection.call({ operation: "list namespaces" }, scope, (wire) =>
      this.#connection.clients.namespaces.list({}, wire),
    );
    return namespaces.map(({ name }) => name);
  }

  /** The daemon answers for a namespace that does not exist as for an empty one, so a typo would look like a clean node. */
  async #checkedNamespaces(scope: Scope): Promise<readonly string[]> {
    const existing = await this.#existingNamespaces(scope);
    const missing = this.#namespaces.find((namespace) => !existing.includes(namespace));
    if (missing === undefined) return existing;
    const known = existing.length === 0 ? "none yet" : existing.join(", ");
    throw new RuntimeError(
      "invalid-argument",
      "list namespaces",
      `no containerd namespace "${missing}": the daemon has ${known}; name one of them with --namespace`,
    );
  }

  async #foreignBlobs(existing: readonly string[], scope: Scope): Promise<readonly Digest[]> {
    const digests = new Set<Digest>();
    for (const namespace of existing) {
      if (this.#namespaces.includes(namespace)) continue;
      await forEachBlob(this.#reading(namespace, scope), ({ digest }) => digests.add(digest as Digest));
    }
    return [...digests];
  }

  #refuse(namespace: string): never {
    const observed = this.#namespaces.join(", ");
    throw new RuntimeError(
      "invalid-argument",
      "list containers",
      `namespace "${namespace}" is not observed, only ${observed}`,
    );
  }
}
