// Pushing built images to a registry over plain HTTP (OCI distribution spec, "Push").
import { mediaTypes, type Storable, type StoredBlob } from "./descriptor.ts";

export interface PushTarget {
  /** e.g. `http://127.0.0.1:5000` */
  readonly registry: string;
  /** e.g. `team/app` */
  readonly repository: string;
  /** The image can be pulled by its digest in any case; a tag is added for each of these. */
  readonly tags: readonly string[];
}

const manifestTypes: readonly string[] = [mediaTypes.manifest, mediaTypes.index];

/** Pushes an image with everything it points to. An index must be `complete`: registries refuse one with absent children. */
export async function pushImage(image: Storable, target: PushTarget): Promise<void> {
  const base = `${target.registry}/v2/${target.repository}`;
  for (const blob of image.blobs) {
    if (manifestTypes.includes(blob.descriptor.mediaType)) await putManifest(base, blob, blob.descriptor.digest);
    else await putBlob(base, blob);
  }
  const top = image.blobs.find((blob) => blob.descriptor.digest === image.target.digest);
  if (top === undefined) throw new Error(`the image does not hold its own target ${image.target.digest}`);
  for (const tag of target.tags) await putManifest(base, top, tag);
}

async function putManifest(base: string, blob: StoredBlob, reference: string): Promise<void> {
  await request(`${base}/manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": blob.descriptor.mediaType },
    body: new Uint8Array(blob.bytes),
  });
}

async function putBlob(base: string, blob: StoredBlob): Promise<void> {
  const known = await fetch(`${base}/blobs/${blob.descriptor.digest}`, { method: "HEAD" });
  if (known.ok) return;
  const upload = await request(`${base}/blobs/uploads/`, { method: "POST" });
  const location = new URL(upload.headers.get("location") ?? "", base);
  location.searchParams.set("digest", blob.descriptor.digest);
  await request(location.href, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: new Uint8Array(blob.bytes),
  });
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method} ${url}: ${response.status} ${text}`);
  return response;
}
