// What has been found out about a request to remove something, shared by the parts of the plan.
import type { ResolvedImage } from "./removal-resolve.ts";
import type { RemovalRecord, RemovalRequest } from "./removal-types.ts";

export interface Situation {
  readonly request: RemovalRequest;
  readonly image: ResolvedImage;
  /** Every record in the order of the store. */
  readonly records: readonly RemovalRecord[];
  /** CRI manages the names of the image. */
  readonly criManaged: boolean;
}

/** True in a namespace of CRI, and for an image one of whose records CRI has labelled as its own. */
export function isCriManaged(request: RemovalRequest, image: ResolvedImage): boolean {
  if (request.criManaged === true) return true;
  return image.all.some(({ labels }) => labels?.["io.cri-containerd.image"] === "managed");
}
