// The engine behind an address: which versions of the API it speaks, how it keeps images, and typed questions to it.
import type * as z from "zod";
import type { ImageStore } from "../../image/node-state.ts";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { describeAddress } from "./endpoint.ts";
import type { Answer, Call, HttpClient } from "./http-client.ts";
import { info, readAnswer } from "./schema.ts";
import { compareVersions, isAtLeast } from "./version.ts";

/** The versions of the API that this adapter speaks. Later engines accept the newest of these as long as they can. */
export const oldestApi = "1.24";
export const newestApi = "1.51";

/** What is known of an engine since it was asked last. */
export interface EngineFacts {
  /** The version of the API that is spoken with it. */
  readonly api: string;
  readonly version: string;
  readonly product: "docker" | "podman";
  readonly imageStore: ImageStore;
  /**
   * What `RepoTags` and `RepoDigests` hold. `names`: the tags and the digest references that are stored. `records`: everything that
   * is stored is among the `RepoTags`, and `RepoDigests` are made up for each of them.
   */
  readonly lists: "names" | "records";
  /** `overlay2`, or the snapshotter of the containerd image store. */
  readonly driver: string;
  /** The engine's folder, on its own machine. */
  readonly rootFolder: string;
  /** The socket of the containerd beneath, where the engine tells. */
  readonly containerd: string | undefined;
}

/** A call without the version prefix. */
export type EngineCall = Omit<Call, "path"> & { readonly path: string };

export class Engine {
  readonly #http: HttpClient;
  #facts: Promise<EngineFacts> | undefined;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  get http(): HttpClient {
    return this.#http;
  }

  /** What the engine is; asked anew after a connection broke, because an engine may come back as another one. */
  facts(options?: CallOptions): Promise<EngineFacts> {
    if (this.#facts === undefined) return this.refresh(options);
    return this.#facts;
  }

  /** Asks the engine anew what it is. */
  refresh(options?: CallOptions): Promise<EngineFacts> {
    const asked = this.#negotiate(options);
    this.#facts = asked;
    asked.catch(() => this.#forget(asked));
    return asked;
  }

  /** Asks one question and reads the answer. */
  async get<Value>(schema: z.ZodType<Value>, call: EngineCall, options?: CallOptions): Promise<Value> {
    const { text } = await this.call(call, options);
    return readAnswer(schema, text, call.operation);
  }

  /** Like `get`, undefined when the engine says that there is no such thing. */
  async find<Value>(schema: z.ZodType<Value>, call: EngineCall, options?: CallOptions): Promise<Value | undefined> {
    try {
      return await this.get(schema, call, options);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** Makes one call in the version that was agreed on. */
  async call(call: EngineCall, options?: CallOptions): Promise<Answer> {
    const { api } = await this.facts(options);
    try {
      return await this.#http.call({ ...call, path: `/v${api}${call.path}` }, options);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "unavailable") this.#facts = undefined;
      throw error;
    }
  }

  /** Asks whether somebody is there. */
  async ping(options?: CallOptions): Promise<void> {
    await this.#http.call({ operation: "ping", path: "/_ping" }, options);
  }

  close(): void {
    this.#http.close();
  }

  #forget(asked: Promise<EngineFacts>): void {
    if (this.#facts === asked) this.#facts = undefined;
  }

  async #negotiate(options?: CallOptions): Promise<EngineFacts> {
    const where = describeAddress(this.#http.address);
    const { headers, text } = await this.#http.call({ operation: "ping", path: "/_ping" }, options);
    const api = agreedVersion(headers["api-version"], text, where);
    const product = headers["libpod-api-version"] === undefined ? "docker" : "podman";
    const found = await this.#info(api, options);
    const isContainerdStore = found.DriverStatus?.some(
      ([key, value]) => key === "driver-type" && value?.startsWith("io.containerd.snapshotter."),
    );
    return {
      api,
      version: found.ServerVersion,
      product,
      imageStore: isContainerdStore ? "containerd" : "graph-driver",
      lists: isContainerdStore || product === "podman" ? "records" : "names",
      driver: found.Driver || "layers",
      rootFolder: found.DockerRootDir,
      containerd: found.Containerd?.Address,
    };
  }

  async #info(api: string, options?: CallOptions) {
    const operation = "engine info";
    try {
      const { text } = await this.#http.call({ operation, path: `/v${api}/info` }, options);
      return readAnswer(info, text, operation);
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== "invalid-argument") throw error;
      const message = `no version of the API is spoken by both (${error.message}): use another version of prunelet`;
      throw new RuntimeError("unsupported", "connect", message, error);
    }
  }
}

/** Engines before 1.25 answered the ping without their version. */
function agreedVersion(header: string | string[] | undefined, body: string, where: string): string {
  const told = typeof header === "string" ? header : body.trim() === "OK" ? oldestApi : undefined;
  if (told === undefined || !/^\d+\.\d+$/.test(told)) {
    const message = `the server at ${where} does not answer as a Docker Engine does: name the engine's own address with --endpoint`;
    throw new RuntimeError("unavailable", "connect", message);
  }
  if (!isAtLeast(told, oldestApi)) {
    const message = `the engine at ${where} speaks API ${told}, prunelet needs ${oldestApi} (Docker 1.12) or later: update the engine`;
    throw new RuntimeError("unsupported", "connect", message);
  }
  return compareVersions(told, newestApi) < 0 ? told : newestApi;
}
