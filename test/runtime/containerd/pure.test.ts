// The small pure parts of the containerd adapter: versions, chain IDs, labels, facts of blobs.
import { describe, expect, test } from "vitest";
import { topChainId } from "../../../src/runtime/containerd/chain-id.ts";
import { imageRefIn } from "../../../src/runtime/containerd/container-records.ts";
import { readContentFact } from "../../../src/runtime/containerd/content-facts.ts";
import { kindOf } from "../../../src/runtime/containerd/events.ts";
import { isExpired, isRoot, referencesOf } from "../../../src/runtime/containerd/gc-labels.ts";
import { identify } from "../../../src/runtime/containerd/image-identity.ts";
import { digestIn } from "../../../src/runtime/cri/use.ts";
import { socketPath } from "../../../src/runtime/wire/endpoint.ts";
import { isAtLeast, parseVersion } from "../../../src/runtime/wire/version.ts";
import { digestOf } from "../../support/digest-of.ts";

const host = { os: "linux", architecture: "amd64" };

function bytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

describe("versions", () => {
  test.each([
    ["v1.6.20", { major: 1, minor: 6 }],
    ["1.6.20~ds1", { major: 1, minor: 6 }],
    ["2.1.4-k3s1", { major: 2, minor: 1 }],
    ["nonsense", { major: 0, minor: 0 }],
  ])("reads %s", (text, expected) => {
    expect(parseVersion(text)).toEqual(expected);
  });

  test("compares majors before minors", () => {
    expect([isAtLeast("2.0.9", 2, 1), isAtLeast("2.1.0", 2, 1), isAtLeast("3.0.0", 2, 1)]).toEqual([false, true, true]);
  });
});

describe("chain IDs", () => {
  test("are the diff ID for one layer and a hash of the text of both above it", () => {
    const one = topChainId([digestOf("a1")]);
    const two = topChainId([digestOf("a1"), digestOf("b2")]);

    expect(one).toBe(digestOf("a1"));
    // printf "%s %s" of both digests | sha256sum
    expect(two).toBe("sha256:d30ab3b6f9b401ea17a3d11f0f7cfb1c0684f96e612ce65208a90ec5b0140363");
  });

  test("are nothing for an image without layers", () => {
    expect(topChainId([])).toBeUndefined();
  });
});

describe("labels of the collector", () => {
  test("name blobs with and without a suffix, and the config among them", () => {
    const references = referencesOf({
      "containerd.io/gc.ref.content": digestOf("a1"),
      "containerd.io/gc.ref.content.l.0": digestOf("b2"),
      "containerd.io/gc.ref.content/x": digestOf("c3"),
      "containerd.io/gc.ref.content.config": digestOf("d4"),
      "containerd.io/gc.ref.contention": digestOf("e5"),
    });

    expect(references.blobs).toEqual([digestOf("a1"), digestOf("b2"), digestOf("c3"), digestOf("d4")]);
    expect(references.config).toBe(digestOf("d4"));
  });

  test("name snapshots of a snapshotter with and without a suffix, in order", () => {
    const references = referencesOf({
      "containerd.io/gc.ref.snapshot.overlayfs": "one",
      "containerd.io/gc.ref.snapshot.native/2": "two",
    });

    expect(references.snapshots).toEqual(["native/two", "overlayfs/one"]);
  });

  test("expire at their time, and never when the time cannot be read", () => {
    const now = Date.UTC(2026, 0, 1);
    const at = (time: string) => isExpired({ "containerd.io/gc.expire": time }, now);

    expect([at("2025-12-31T23:59:59Z"), at("2026-01-01T00:00:01Z"), at("soon")]).toEqual([true, false, false]);
  });

  test("make a root with any value", () => {
    expect([isRoot({ "containerd.io/gc.root": "" }, 0), isRoot({}, 0)]).toEqual([true, false]);
  });
});

describe("facts of blobs", () => {
  test("an index lists its manifests and tells attestations apart", () => {
    const fact = readContentFact(
      bytes({
        manifests: [
          { digest: digestOf("a1"), platform: { os: "linux", architecture: "amd64" } },
          { digest: digestOf("b2"), annotations: { "vnd.docker.reference.type": "attestation-manifest" } },
          { digest: "broken" },
        ],
      }),
    );

    expect(fact).toEqual({
      kind: "index",
      entries: [
        { digest: digestOf("a1"), attestation: false, platform: { os: "linux", architecture: "amd64" } },
        { digest: digestOf("b2"), attestation: true },
      ],
    });
  });

  test("a config gives labels, build time, platform and the topmost chain ID", () => {
    const fact = readContentFact(
      bytes({
        ...host,
        created: "2024-01-01T00:00:00Z",
        config: { Labels: { team: "a", broken: 1 } },
        rootfs: { diff_ids: [digestOf("a1")] },
      }),
    );

    expect(fact).toEqual({
      kind: "config",
      labels: { team: "a" },
      createdAt: Date.UTC(2024, 0, 1),
      platform: host,
      top: digestOf("a1"),
    });
  });

  test.each([
    ["text", "no JSON"],
    ["a list", "[]"],
    ["schema 1", '{"fsLayers":[]}'],
    ["null", "null"],
  ])("%s is something else and no error", (_, text) => {
    expect(readContentFact(Buffer.from(text))).toEqual({ kind: "other" });
  });
});

describe("identity", () => {
  const config = (architecture: string) =>
    readContentFact(bytes({ os: "linux", architecture, rootfs: { diff_ids: [] } }));
  const facts = new Map([
    [
      digestOf("11"),
      readContentFact(
        bytes({
          manifests: [
            { digest: digestOf("a1"), platform: { os: "linux", architecture: "arm64" } },
            { digest: digestOf("a2"), platform: { os: "linux", architecture: "amd64" } },
            { digest: digestOf("a3") },
          ],
        }),
      ),
    ],
    [digestOf("a1"), readContentFact(bytes({ config: { digest: digestOf("c1") } }))],
    [digestOf("a2"), readContentFact(bytes({ config: { digest: digestOf("c2") } }))],
    [digestOf("c1"), config("arm64")],
    [digestOf("c2"), config("amd64")],
  ]);

  test("takes the config of the node's platform and keeps every digest that is here", () => {
    const identity = identify(digestOf("11"), (digest) => facts.get(digest), host);

    expect(identity.id).toBe(digestOf("c2"));
    expect(identity.digests).toEqual(["11", "a1", "a2", "c1", "c2"].map(digestOf));
  });

  test("takes the first config when none is of the node's platform", () => {
    const identity = identify(digestOf("11"), (digest) => facts.get(digest), { ...host, architecture: "riscv64" });

    expect(identity.id).toBe(digestOf("c1"));
  });

  test("is the target when nothing can be read", () => {
    expect(identify(digestOf("ff"), () => undefined, host).id).toBe(digestOf("ff"));
  });
});

describe("spellings", () => {
  test.each([
    [digestOf("a1"), digestOf("a1")],
    [`docker.io/library/x@${digestOf("a1")}`, digestOf("a1")],
    ["a1".repeat(32), digestOf("a1")],
    ["docker.io/library/x:1", undefined],
    ["", undefined],
  ])("%s holds the digest %s", (text, expected) => {
    expect(digestIn(text)).toBe(expected);
  });

  test("the image ID is found in CRI's own metadata, and damaged metadata holds none", () => {
    const whole = bytes({ Version: "v1", Metadata: { ImageRef: digestOf("a1") } });

    expect([imageRefIn(whole), imageRefIn(Buffer.from("{")), imageRefIn(undefined)]).toEqual([
      digestOf("a1"),
      undefined,
      undefined,
    ]);
  });

  test("an endpoint that is no unix socket is refused with the mend", () => {
    expect(socketPath("unix:///run/x.sock")).toBe("/run/x.sock");
    expect(() => socketPath("tcp://1.2.3.4")).toThrow(/write it as unix:/);
  });

  test("only topics that change names or uses become events", () => {
    expect(["/images/create", "/tasks/exit", "/tasks/exec-added", "/snapshot/prepare"].map(kindOf)).toEqual([
      "image",
      "container",
      undefined,
      undefined,
    ]);
  });
});
