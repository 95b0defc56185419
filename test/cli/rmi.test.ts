// What people see of `rmi`: Docker's words on stdout, one line for each error on stderr, exit codes, and nothing lost by bad input.
import { describe, expect, it } from "vitest";
import { digestOf } from "../support/digest-of.ts";
import { runRmi } from "./rmi-harness.ts";

const a = digestOf("a1");
const twin = `sha256:a1a1${"0".repeat(60)}`;
const hub = "docker.io/library/";

describe("rmi tells people", () => {
  it("what it untagged and deleted, in Docker's words, in the order of the references", async () => {
    const run = await runRmi(node({ "x:1": a, "x:2": a }), "x:1", "x:2");

    expect(run.stdout).toBe(`Untagged: x:1\nUntagged: x:2\nDeleted: ${a}\n`);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("why something stays, in one line on stderr, and goes on with the next reference", async () => {
    const run = await runRmi(node({ "x:1": a, "y:1": a }), a, "nothing", "y:1");

    expect(run.stdout).toBe("Untagged: y:1\n");
    expect(run.stderr.split("\n")).toEqual([
      "prunelet: conflict: unable to delete a1a1a1a1a1a1 (must be forced) - image is referenced in multiple repositories",
      "prunelet: No such image: nothing:latest",
      "",
    ]);
    expect(run.code).toBe(1);
  });

  it("what an ambiguous beginning of an ID may mean", async () => {
    const run = await runRmi(node({ "x:1": a, "y:1": twin }), "a1a1");

    expect(run.stderr).toBe(`prunelet: ambiguous reference: a1a1 may mean ${hub}x:1 or ${hub}y:1; write more digits\n`);
    expect(run.code).toBe(1);
    expect(run.left["default"]).toHaveLength(2);
  });

  it("which namespaces hold the reference, and takes the one that it is told", async () => {
    const both = {
      namespaces: [
        { name: "one", names: [record("x:1", a)] },
        { name: "two", names: [record("x:1", a)] },
      ],
    };

    const unclear = await runRmi(both, "x:1");
    const clear = await runRmi(both, "x:1", "--namespace", "two");
    const unknown = await runRmi(both, "x:1", "--namespace", "three");

    expect(unclear.stderr).toContain("ambiguous reference: x:1 is in the namespaces one, two");
    expect(unclear.left).toEqual({ one: [`${hub}x:1`], two: [`${hub}x:1`] });
    expect(clear.left).toEqual({ one: [`${hub}x:1`], two: [] });
    expect([unclear.code, clear.code, unknown.code]).toEqual([1, 0, 2]);
  });

  it("which pod needs an image that was not started yet", async () => {
    const pods = [{ namespace: "shop", name: "cart", phase: "Pending", images: ["x:1"] }];

    const refused = await runRmi({ ...node({ "x:1": a, "x:2": a }), pods }, "x:1", "-o", "json");
    const forced = await runRmi({ ...node({ "x:1": a, "x:2": a }), pods }, "x:1", "--force");

    expect(refused.report().failed).toEqual([
      {
        name: "x:1",
        reason: "conflict",
        message: "conflict: unable to delete x:1 (must be forced) - image is needed by pod shop/cart (Pending)",
      },
    ]);
    expect(refused.report().results[0]?.error?.pod).toBe("shop/cart");
    expect([refused.code, forced.code]).toEqual([1, 0]);
  });
});

describe("rmi refuses and removes nothing for", () => {
  const lower = "repository name (library/BusyBox) must be lowercase";
  const neither = "is neither a name such as nginx:1.27 nor an image ID";
  const hex = "ab".repeat(32);

  it.each<[string, string, number, string]>([
    ["an empty reference", "", 2, "image name cannot be blank"],
    ["blanks", "  ", 2, "image name cannot be blank"],
    ["upper case", "BusyBox", 2, `invalid reference format: ${lower}`],
    ["a malformed reference", "x::1", 2, `invalid reference format: "x::1" ${neither}`],
    ["what is shown where there is no name", "<none>", 2, `invalid reference format: "<none>" ${neither}`],
    ["the same with a tag", "<none>:<none>", 2, `invalid reference format: "<none>:<none>" ${neither}`],
    [
      "an unsupported digest algorithm",
      `x@md5:${"a".repeat(32)}`,
      2,
      `unsupported digest algorithm: "x@md5:${"a".repeat(32)}" ${neither}`,
    ],
    [
      "a digest that is too short",
      `x@sha256:${"a".repeat(40)}`,
      2,
      `invalid checksum digest length: "x@sha256:${"a".repeat(40)}" ${neither}`,
    ],
    ["a name of 64 hexadecimal digits with a tag", `${hex}:1`, 1, `No such image: ${hex}:1`],
    ["an unknown ID", hex, 1, `No such image: sha256:${hex}`],
    ["an unknown name", "nothing", 1, "No such image: nothing:latest"],
    ["an unknown beginning of an ID", "beef", 1, "No such image: beef:latest"],
    ["three digits of an ID", "a1a", 1, "No such image: a1a:latest"],
    ["one digit of an ID", "a", 1, "No such image: a:latest"],
  ])("%s", async (_, reference, code, message) => {
    const run = await runRmi(node({ "x:1": a }), "--force", "--", reference);

    expect(run).toMatchObject({ code, stdout: "", stderr: `prunelet: ${message}\n` });
    expect(run.left["default"]).toEqual([`${hub}x:1`]);
  });

  it("a call without any reference", async () => {
    const run = await runRmi(node({ "x:1": a }));

    expect(run.code).toBe(2);
    expect(run.stderr).toContain("missing required argument");
  });
});

describe("rmi of several references", () => {
  it("ends with 1 when one of them is malformed, and does the others", async () => {
    const run = await runRmi(node({ "x:1": a, "y:1": a }), "X", "x:1");

    expect(run).toMatchObject({ code: 1, stdout: "Untagged: x:1\n" });
  });

  it("removes a parent with the child only when it is not told to leave it", async () => {
    const b = digestOf("b2");
    const family = {
      namespaces: [
        {
          names: [record("child:1", a), { name: `moby-dangling@${b}`, target: b }],
          images: [{ target: a, parent: b }],
        },
      ],
    };

    const all = await runRmi(family, "child:1");
    const child = await runRmi(family, "child:1", "--no-prune");

    expect(all.left["default"]).toEqual([]);
    expect(child.left["default"]).toEqual([`moby-dangling@${b}`]);
  });
});

function node(names: Readonly<Record<string, string>>) {
  return { namespaces: [{ names: Object.entries(names).map(([name, target]) => record(name, target)) }] };
}

function record(name: string, target: string) {
  return { name: hub + name, target };
}
