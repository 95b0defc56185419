// The generated clients over a socket, for writing what a pull and a kubelet would write.
import { connect } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Containers } from "../../src/runtime/containerd/gen/containerd/services/containers/v1/containers_pb.js";
import { Content } from "../../src/runtime/containerd/gen/containerd/services/content/v1/content_pb.js";
import { Images } from "../../src/runtime/containerd/gen/containerd/services/images/v1/images_pb.js";
import { Leases } from "../../src/runtime/containerd/gen/containerd/services/leases/v1/leases_pb.js";
import { Snapshots } from "../../src/runtime/containerd/gen/containerd/services/snapshots/v1/snapshots_pb.js";

/** The namespace that Kubernetes works in. */
export const namespace = "k8s.io";

export interface Wire {
  readonly containers: Client<typeof Containers>;
  readonly content: Client<typeof Content>;
  readonly images: Client<typeof Images>;
  readonly leases: Client<typeof Leases>;
  readonly snapshots: Client<typeof Snapshots>;
  close(): void;
}

/** Connects when the first call is made. With `lease`, everything written belongs to that lease as well. */
export function openWire(socket: string, lease?: string): Wire {
  const sessionManager = new Http2SessionManager("http://localhost", {}, { createConnection: () => connect(socket) });
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager,
    acceptCompression: [],
    interceptors: [
      (next) => (request) => {
        request.header.set("containerd-namespace", namespace);
        if (lease !== undefined) request.header.set("containerd-lease", lease);
        return next(request);
      },
    ],
  });
  return {
    containers: createClient(Containers, transport),
    content: createClient(Content, transport),
    images: createClient(Images, transport),
    leases: createClient(Leases, transport),
    snapshots: createClient(Snapshots, transport),
    close: () => sessionManager.abort(),
  };
}
