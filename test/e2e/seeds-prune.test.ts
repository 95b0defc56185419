// The prune matrix from which the rules grew: one image, one tag or two, a container that spells it in each way. Live on every
// containerd line and Docker Engine, through prunelet itself.
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { hexOf, shortHex } from "../../src/image/digest.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import { describeSeedHosts, pruneAll, type SeedHost } from "../support/seed-hosts.ts";

const image = busyboxImage({ labels: { app: "seeds" } });
/** With a layer of its own: of images with the same layers containerd cannot always tell which one a container runs. */
const unused = busyboxImage({ layers: [buildLayer({ "app/name": "unused" })] });

interface Row {
  readonly what: string;
  readonly spelling: (host: SeedHost, repository: string) => string;
  /** Of the tags `latest` and `other`, the one that stays. */
  readonly stays: "latest" | "other";
}

// The last tag in byte order stays, unless the container names one.
const rows: readonly Row[] = [
  { what: "full ID", spelling: (host) => host.idOf(image), stays: "other" },
  { what: "ID without prefix", spelling: (host) => hexOf(host.idOf(image)), stays: "other" },
  { what: "truncated ID", spelling: (host) => shortHex(host.idOf(image)), stays: "other" },
  { what: "repo@digest", spelling: (_, repository) => `${repository}@${image.target.digest}`, stays: "other" },
  {
    what: "repo:tag@digest",
    spelling: (_, repository) => `${repository}:latest@${image.target.digest}`,
    stays: "latest",
  },
];

describeSeedHosts("the prune matrix", (host) => {
  let repository = "";

  beforeAll(async () => {
    const { host: address, url } = host().registry;
    repository = `${address}/team/seed`;
    await pushImage(image, { registry: url, repository: "team/seed", tags: ["latest"] });
    await pushImage(unused, { registry: url, repository: "team/unused", tags: ["1"] });
  });

  afterEach(() => host().clear());

  describe.each(rows)("a container by $what", ({ spelling, stays }) => {
    test("keeps the only tag; what nothing uses goes", async () => {
      await host().pull(`${repository}:latest`);
      await host().pull(`${host().registry.host}/team/unused:1`);
      await host().run(spelling(host(), repository));
      const before = await host().references();

      const report = await pruneAll(host());

      const ours = before.filter((name) => name.startsWith(repository));
      expect(report).toMatchObject({ deleted: [expect.any(String)], failed: [], leftAlone: [] });
      expect(report.untagged.every((name) => name.includes("/team/unused"))).toBe(true);
      expect(await host().references()).toEqual(ours);
    });

    test("keeps one of two tags: the one that is named, else the last", async () => {
      await host().pull(`${repository}:latest`);
      await host().tag(`${repository}:latest`, `${repository}:other`);
      await host().run(spelling(host(), repository));

      const report = await pruneAll(host());

      const goes = stays === "other" ? "latest" : "other";
      expect(report).toMatchObject({ deleted: [], failed: [], leftAlone: [] });
      expect(report.untagged).toEqual([`${repository}:${goes}`]);
      expect((await host().references()).filter((name) => !name.includes("@"))).toEqual([`${repository}:${stays}`]);
      await expect(host().run(`${repository}:${stays}`)).resolves.toBeUndefined();
    });
  });

  test("the digest reference that the runtime tells keeps the image like any other spelling", async () => {
    await host().pull(`${repository}@${image.target.digest}`);
    const [reference = ""] = (await host().references()).filter((name) => name.includes("@"));
    await host().run(reference);

    const report = await pruneAll(host());

    expect(reference).toBe(`${repository}@${image.target.digest}`);
    expect(report).toMatchObject({ untagged: [], deleted: [], failed: [] });
    expect(await host().references()).toEqual([reference]);
  });
});
