// The two services of CRI as clients, under the name of either API version: their messages are the same.
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { ImageService, RuntimeService } from "./gen/runtime/v1/api_pb.js";

/** The API versions, newest first. `v1alpha2` is all that runtimes before Kubernetes 1.23 have. */
export const criVersions = ["v1", "v1alpha2"] as const;

export type CriVersion = (typeof criVersions)[number];

export interface CriClients {
  readonly runtime: Client<typeof RuntimeService>;
  readonly images: Client<typeof ImageService>;
}

/** Clients of the services of one API version. */
export function criClients(transport: Transport, version: CriVersion): CriClients {
  const { runtime, images } = criServices(version);
  return { runtime: createClient(runtime, transport), images: createClient(images, transport) };
}

/** The services as an API version calls them. */
export function criServices(version: CriVersion): {
  readonly runtime: typeof RuntimeService;
  readonly images: typeof ImageService;
} {
  if (version === "v1") return { runtime: RuntimeService, images: ImageService };
  return { runtime: renamed(RuntimeService, version), images: renamed(ImageService, version) };
}

interface Service {
  readonly name: string;
  readonly typeName: string;
  readonly methods: readonly { readonly localName: string }[];
}

/** The same service in the package of another version: the path of a call comes from the service that a method belongs to. */
function renamed<S extends Service>(service: S, version: CriVersion): S {
  const copy = { ...service, typeName: `runtime.${version}.${service.name}` };
  const methods = service.methods.map((method) => ({ ...method, parent: copy }));
  const byName = Object.fromEntries(methods.map((method) => [method.localName, method]));
  return Object.assign(copy, { methods, method: byName });
}
