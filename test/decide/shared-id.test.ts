// Two images of one config share one ID name, which only one of them holds.
import { describe, expect, it } from "vitest";
import { podOf } from "../support/fake-pods.ts";
import { imageOf } from "../support/node-builder.ts";
import { planScene, verdictsOf } from "../support/planned.ts";

const first = imageOf("first");
const second = { ...imageOf("second"), id: first.id, digests: [imageOf("second").target, first.id] };
const tag = "r.example/app:v1";
const reference = `r.example/app@${first.target}`;

describe("an ID name that another image needs", () => {
  it("stays, and its own image keeps its last tag with the digest reference that belongs to it", () => {
    const plan = planScene({
      images: [first, second],
      names: [
        [tag, first],
        [reference, first],
        [first.id, first],
        ["r.example/app:v2", second],
      ],
      pods: [podOf("waiting", ["r.example/app:v2"])],
    });

    expect(verdictsOf(plan)).toMatchObject({
      stay: { [tag]: "last-name", [reference]: "companion-of-tag", [first.id]: "companion-of-image" },
      go: {},
    });
  });

  it("stays in the namespace of CRI though it bears no label, as long as an older CRI plugin or a tool has made it", () => {
    const plan = planScene({
      images: [first, second],
      names: [
        [first.id, first, { labels: {} }],
        ["r.example/app:v2", second],
      ],
      pods: [podOf("waiting", ["r.example/app:v2"])],
    });

    expect(verdictsOf(plan)).toMatchObject({ stay: { [first.id]: expect.any(String) }, go: {} });
  });
});
