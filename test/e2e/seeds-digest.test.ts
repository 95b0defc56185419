// The by-digest suite: images that are known by digest, live on every containerd line and Docker Engine, through prunelet itself.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import type { StoredBlob } from "../support/oci/descriptor.ts";
import { type BuiltImage, buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import { describeSeedHosts, pruneAll, type SeedHost } from "../support/seed-hosts.ts";

const image = busyboxImage({ layers: [buildLayer({ "app/version": "1" })] });
const { digest } = image.target;
const unknown = `sha256:${"f".repeat(64)}`;

describeSeedHosts("images by digest", (host) => {
  let repository = "";
  let byDigest = "";

  beforeAll(async () => {
    const { host: address, url } = host().registry;
    repository = `${address}/team/seed`;
    byDigest = `${repository}@${digest}`;
    await pushImage(image, { registry: url, repository: "team/seed", tags: ["t1"] });
  });

  afterEach(() => host().clear());

  test("have the digest that they were pushed with, pulled by tag or by digest", async () => {
    await host().pull(`${repository}:t1`);
    const byTag = await inspect(host(), `${repository}:t1`);
    await host().clear();
    await host().pull(byDigest);
    const again = await inspect(host(), byDigest);

    expect([byTag.id, again.id]).toEqual([again.id, byTag.id]);
    expect(again.digests).toContain(digest);
    expect(again.names.map(({ name }) => name)).toEqual([byDigest]);
  });

  test("that no registry has are not pulled, and no tag is taken in their place", async () => {
    const pull = host().pull(`${repository}@${unknown}`);

    await expect(pull).rejects.toThrow(/manifest unknown|not found/);
    expect(await host().references()).toEqual([]);
    expect(await images(host())).toEqual([]);
  });

  test("are in use under exactly the spelling that a container was given", async () => {
    await host().pull(byDigest);
    await host().run(byDigest);

    const page = await inspect(host(), byDigest);

    expect(page.containers).toMatchObject([{ image: byDigest, state: "running" }]);
    expect(page.inUse).toBe(true);
  });

  test("are removed by digest, and are then no image any more", async () => {
    await host().pull(byDigest);

    const removal = await rmi(host(), byDigest);
    const afterwards = await host().prunelet("inspect", byDigest);

    expect(removal).toMatchObject({ untagged: [byDigest], failed: [] });
    expect(removal.deleted).toHaveLength(1);
    expect(afterwards).toMatchObject({ code: 1, stderr: expect.stringContaining(`No such image: ${byDigest}`) });
    expect(await host().references()).toEqual([]);
  });

  test("are removed by their ID without force when the digest is all there is", async () => {
    await host().pull(byDigest);

    const removal = await rmi(host(), host().idOf(image));

    expect(removal).toMatchObject({ untagged: [byDigest], failed: [] });
    expect(await host().references()).toEqual([]);
  });

  test("can be given a tag, and both mean one image", async () => {
    await host().pull(byDigest);
    await host().tag(byDigest, `${repository}:x`);

    const pages = [await inspect(host(), byDigest), await inspect(host(), `${repository}:x`)];

    expect(pages[0]?.id).toBe(pages[1]?.id);
    expect(pages[0]?.names.map(({ name }) => name)).toEqual([`${repository}:x`, byDigest]);
  });

  test("are listed with repository and digest, a tag beside them in a row of its own", async () => {
    await host().pull(byDigest);
    const before = await images(host());
    await host().tag(byDigest, `${repository}:x`);
    const after = await images(host());

    const row = { repository, tag: "<none>", digest };
    expect(before).toMatchObject([row]);
    expect(after).toMatchObject([row, { repository, tag: "x" }].toSorted((a, b) => (a.tag < b.tag ? -1 : 1)));
  });

  test("are not found under the digest of another repository", async () => {
    await host().pull(byDigest);

    const wrong = await host().prunelet("inspect", `${host().registry.host}/team/other@${digest}`);

    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("No such image") });
  });

  test("go with the last tag of their repository, not before", async () => {
    await host().pull(`${repository}:t1`);
    await host().pull(byDigest);
    await host().tag(`${repository}:t1`, `${repository}:t2`);

    const first = await rmi(host(), `${repository}:t2`);
    const between = await host().references();
    const second = await rmi(host(), `${repository}:t1`);

    expect(first).toMatchObject({ untagged: [`${repository}:t2`], deleted: [] });
    expect(between).toEqual([`${repository}:t1`, byDigest]);
    expect(second.deleted).toHaveLength(1);
    expect(await host().references()).toEqual([]);
  });

  test("are kept while a container uses them, and go when none does", async () => {
    await host().pull(byDigest);
    await host().run(byDigest);
    const kept = await pruneAll(host());
    await host().clear();
    await host().pull(byDigest);
    const gone = await pruneAll(host());

    expect(kept).toMatchObject({ untagged: [], deleted: [], failed: [] });
    expect(gone).toMatchObject({ untagged: [byDigest], failed: [] });
    expect(await host().references()).toEqual([]);
  });

  test.each([
    ["manifest", /verification failed|unexpected commit digest|failed size validation|failed precondition/i],
    ["layer", /verification failed|unexpected commit digest|failed size validation|failed precondition/i],
  ] as const)("whose %s was altered are not pulled, and what is left of them harms nothing", async (what, message) => {
    const broken = buildImage({ layers: [buildLayer({ "app/broken": `${what} ${host().registry.url}`.padEnd(99) })] });
    const { url: registry } = host().registry;
    await pushImage(broken, { registry, repository: `team/broken-${what}`, tags: ["1"] });
    await host().pull(byDigest);
    alter(host(), broken, what);

    const pull = host().pull(`${host().registry.host}/team/broken-${what}@${broken.target.digest}`);
    await expect(pull).rejects.toThrow(message);
    const before = await host().references();
    const report = await pruneAll(host());

    expect(before).toEqual([byDigest]);
    expect(report).toMatchObject({ untagged: [byDigest], failed: [] });
    expect(await host().references()).toEqual([]);
  });
});

interface Page {
  readonly id: string;
  readonly digests: readonly string[];
  readonly names: readonly { readonly name: string }[];
  readonly containers: readonly { readonly image: string; readonly state: string }[];
  readonly inUse: boolean;
}

async function inspect(host: SeedHost, reference: string): Promise<Page> {
  const result = await host.prunelet("inspect", reference, "-o", "json");
  const page = result.json() as Page | readonly Page[];
  return (Array.isArray(page) ? page[0] : page) as Page;
}

async function images(host: SeedHost): Promise<unknown> {
  return (await host.prunelet("images", "--digests", "-o", "json")).json();
}

async function rmi(host: SeedHost, reference: string): Promise<RemovalsReport> {
  return (await host.prunelet("rmi", reference, "-o", "json")).json() as RemovalsReport;
}

/** Changes one byte of what the registry stores: the length stays, so that only the digest tells. */
function alter(host: SeedHost, broken: BuiltImage, what: "manifest" | "layer"): void {
  const layer = JSON.parse(Buffer.from(bytesOf(broken, broken.target.digest)).toString()) as {
    readonly layers: readonly { readonly digest: BuiltImage["target"]["digest"] }[];
  };
  const target = what === "manifest" ? broken.target.digest : layer.layers[0]?.digest;
  if (target === undefined) throw new Error("the image has no layer");
  const bytes = Buffer.from(bytesOf(broken, target));
  if (what === "manifest") host.registry.alter(target, Buffer.from(bytes.toString().replace(/\}$/, " }")));
  else host.registry.alter(target, bytes.fill(0xff, bytes.length - 1));
}

function bytesOf({ blobs }: BuiltImage, digest: string): Uint8Array {
  const blob: StoredBlob | undefined = blobs.find(({ descriptor }) => descriptor.digest === digest);
  if (blob === undefined) throw new Error(`the image does not hold ${digest}`);
  return blob.bytes;
}
