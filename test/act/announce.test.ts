// Images are told of before they are removed: in groups, so that whoever records them waits for the disk once for many.
import { describe, expect, it } from "vitest";
import { AnnouncedImages } from "../../src/act/announce.ts";
import type { ImageVerdict } from "../../src/decide/plan.ts";
import { planOn } from "../support/executed-round.ts";
import { threeImages } from "./nodes.ts";

const images = Array.from({ length: 200 }, (_, i) => ({ namespace: String(i) }) as ImageVerdict);

function announced({ oneByOne }: { oneByOne: boolean }) {
  const groups: string[][] = [];
  const open: (() => void)[] = [];
  const announce = (verdicts: readonly ImageVerdict[]) => {
    groups.push(verdicts.map(({ namespace }) => namespace));
    return new Promise<void>((resolve) => open.push(resolve));
  };
  return { images: new AnnouncedImages(images, { announce, oneByOne }), groups, open };
}

describe("announced images", () => {
  it("are told of once each, in their order", async () => {
    const { images: all, groups, open } = announced({ oneByOne: false });

    const turns = images.map((_, i) => all.before(i));
    for (const done of open) done();
    await Promise.all(turns);

    expect(groups.flat()).toEqual(images.map(({ namespace }) => namespace));
    expect(groups.length).toBeLessThan(10);
  });

  it("wait for their own group and for no other", async () => {
    const { images: all, groups, open } = announced({ oneByOne: false });
    const passed: string[] = [];
    const first = all.before(0).then(() => passed.push("first group"));
    const others = groups[0]?.length ?? 0;
    void all.before(others).then(() => passed.push("second group"));

    open[0]?.();
    await first;

    expect(passed).toEqual(["first group"]);
  });

  it("are not told of ahead of their time when pauses lie between them", () => {
    const { images: all, groups } = announced({ oneByOne: true });

    void all.before(0);
    void all.before(1);

    expect(groups).toEqual([["0"], ["1"]]);
  });
});

it("no image is touched before it was told of", async () => {
  const node = await planOn(threeImages());
  const told = new Set<string>();

  await node.run({
    announce: async (verdicts) => {
      expect(node.names("k8s.io").length).toBe(3);
      for (const { image } of verdicts) told.add(image.target);
    },
    onName: ({ target }) => expect([...told]).toContain(target),
  });

  expect(told.size).toBe(3);
});
