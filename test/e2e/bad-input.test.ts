// Wrong input and hostile surroundings: one clear line with cause and mend, the right exit code, and nothing removed.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { containerdLines } from "../support/daemons/manifest.ts";
import { describeNodes } from "../support/e2e-node.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { expectOneLine } from "../support/one-line.ts";
import { runPrunelet } from "../support/prunelet.ts";
import { fillUp, mountSmall } from "../support/small-disk.ts";

const image = buildImage({ layers: [buildLayer({ "data/text": "stays" })] });
const name = "example.org/stays:1";
const live = ["--namespace", "default", "--pods", "none"];

const wrongFlags: readonly (readonly [readonly string[], RegExp])[] = [
  [["--bogus"], /unknown option '--bogus'.*--help/],
  [["--unused-for", "10x"], /policy\.unusedFor is "10x": expected a duration such as/],
  [["--min-age", "soon"], /policy\.minAge is "soon": expected a duration/],
  [["--filter", "foo=1"], /unknown filter "foo": use until=/],
  [["--filter", "until=garbage"], /until=garbage names no moment: write a duration/],
  [["--filter", "dangling=maybe"], /dangling=maybe is neither true nor false: write/],
  [["--filter", "dangling=true", "--filter", "dangling=false"], /both as true and as false: give it once/],
  [["--filter", "label="], /names no label: write label=key/],
  [["--keep", "A:::b"], /policy\.keep\.0 is wrong: pattern "A:::b" is no image reference: .*write a reference/],
  [["--keep", "/(/"], /policy\.keep\.0 is wrong: pattern \/\(\/ is not a regular expression/],
  [["-o", "xml"], /'xml' is invalid.*table, json, yaml/],
  [["--runtime", "nope"], /'nope' is invalid.*containerd/],
  [["--endpoint", "ssh://engine"], /'ssh:\/\/engine' is invalid.*write unix:\/\//],
  [["--config", "/nonexistent.yaml"], /cannot read the configuration \/nonexistent\.yaml: .*check --config/],
  [["--kubeconfig", "/nonexistent", "--node-name", "n"], /no kubeconfig at \/nonexistent: correct the path/],
  [["--pods", "kubernetes", "--node-name", "n"], /no Kubernetes credentials found: give --kubeconfig/],
  [["--pods", "kubernetes"], /name of this node is not known: give --node-name/],
  [["--snapshot", "/nonexistent.json"], /\/nonexistent\.json: cannot be read: .*check the path/],
  [["extra"], /too many arguments.*--help/],
];

const wrongFiles: readonly (readonly [string, string, RegExp])[] = [
  ["an unknown key", "policy:\n  unusedFro: 1h\n", /unknown key policy\.unusedFro: remove it or see/],
  ["a wrong duration", "interval: sometimes\n", /interval is "sometimes": expected a duration/],
  ["a wrong type", "act:\n  concurrency: many\n", /act\.concurrency is "many": expected a number/],
  ["a number out of range", "jitter: 7\n", /jitter .*1/],
  ["broken YAML", "policy: [\n", /is not valid YAML/],
  ["no keys", "- 1\n", /holds a list: expected keys and values/],
];

const wrongKubeconfigs: readonly (readonly [string, string, RegExp])[] = [
  ["broken YAML", "clusters: [", /kubeconfig/],
  ["no context", "apiVersion: v1\nkind: Config\n", /kubeconfig/],
];

describeNodes(
  "wrong usage",
  (node) => {
    const all = ["prune", "--yes", ...live];

    beforeAll(() => node().containerd.import(image, { names: [name] }));
    afterEach(async () => expect(await node().names()).toEqual([name]));

    test.each(wrongFlags)("prune %s is refused", async (flags, message) => {
      // Flags under test come last, because the last one wins.
      const endpoint = ["--endpoint", node().containerd.endpoint];

      const result = await runPrunelet(["prune", "--yes", ...endpoint, ...live.slice(0, 2), ...flags]);

      expectOneLine(result, 2, message);
    });

    test.each(wrongFiles)("a configuration with %s is refused", async (_, content, message) => {
      const file = join(node().folder.path, "config.yaml");
      writeFileSync(file, content);

      const result = await node().prunelet([...all, "--config", file]);

      expectOneLine(result, 2, message);
      expect(result.stderr).toContain(file);
    });

    test("every problem of a configuration is told at once, one in each line", async () => {
      const file = join(node().folder.path, "config.yaml");
      writeFileSync(file, "interval: never\npolicy:\n  nonsense: 1\n  minAge: x\n");

      const result = await node().prunelet([...all, "--config", file]);

      expect(result.code).toBe(2);
      expect(result.stderr.trim().split("\n")).toHaveLength(3);
    });

    test.each(wrongKubeconfigs)("a kubeconfig with %s is refused", async (_, content, message) => {
      const file = join(node().folder.path, "broken-kubeconfig");
      writeFileSync(file, content);

      const result = await node().prunelet([...all.slice(0, 4), "--kubeconfig", file, "--node-name", "n"]);

      expectOneLine(result, 2, message);
      expect(result.stderr).toContain(file);
    });

    test("a kubeconfig whose server cannot be reached ends with what was tried, and removes nothing", async () => {
      const file = join(node().folder.path, "lonely-kubeconfig");
      const cluster = { name: "c", cluster: { server: "http://127.0.0.1:1" } };
      const context = { name: "c", context: { cluster: "c" } };
      const config = { apiVersion: "v1", kind: "Config", clusters: [cluster], contexts: [context], users: [] };
      writeFileSync(file, JSON.stringify({ ...config, "current-context": "c" }));

      const result = await node().prunelet([...all.slice(0, 4), "--kubeconfig", file, "--node-name", "n"]);

      expectOneLine(result, 1, /nothing was removed: .*127\.0\.0\.1:1/);
    });

    test("a command that does not exist is refused", async () => {
      const result = await runPrunelet(["frobnicate"]);

      expectOneLine(result, 2, /unknown command 'frobnicate'.*--help/);
    });

    test("an image that is not there is a failure", async () => {
      const result = await node().prunelet(["inspect", "no/such:image", ...live]);

      expectOneLine(result, 1, /No such image: no\/such:image; .*lists those there are/);
    });
  },
  containerdLines.slice(-1),
);

describeNodes("surroundings that do not allow what is asked", (node) => {
  beforeAll(() => node().containerd.import(image, { names: [name] }));
  afterEach(async () => expect(await node().names()).toEqual([name]));

  const pruneWith = (stateFile: string) =>
    node().prunelet(["prune", "--yes", ...live, "--unused-for", "1ms", "--state-file", stateFile]);

  test("a socket without permission is named", async () => {
    const { containerd } = node();
    chmodSync(join(containerd.root, ".."), 0o755);

    const result = await node().prunelet(["prune", "--yes", ...live], { uid: 65_534 });

    expectOneLine(result, 1, /permission denied on .*c\.sock: run as root/);
  });

  test("a namespace that does not exist is named", async () => {
    const result = await node().prunelet(["prune", "--yes", "--pods", "none", "--namespace", "nowhere"]);

    expectOneLine(result, 2, /no containerd namespace "nowhere": the daemon has .*default.*; name one of them with/);
  });

  test("a state file that is not needed does not stop a command", async () => {
    const file = join(node().folder.path, "not-needed.json");
    writeFileSync(file, "{ half");

    const result = await node().prunelet(["plan", ...live], { env: { PRUNELET_STATE_FILE: file } });

    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("a corrupt state file is named and left as it is", async () => {
    const file = join(node().folder.path, "corrupt.json");
    writeFileSync(file, "{ half");

    const result = await pruneWith(file);

    expectOneLine(result, 1, /the state file .*corrupt\.json is corrupt: move it away to start anew/);
    expect(readFileSync(file, "utf8")).toBe("{ half");
  });

  test("a state file below a file is named", async () => {
    const file = join(node().folder.path, "no-folder");
    writeFileSync(file, "");

    const result = await pruneWith(join(file, "state.json"));

    expectOneLine(result, 1, /state file .* \(ENOTDIR\)/);
  });

  test("a state file on a read-only filesystem is named, before anything is removed", async () => {
    const folder = mountSmall(node().folder.path, "read-only", "ro");

    const result = await pruneWith(join(folder, "state.json"));

    expectOneLine(result, 1, /cannot write the state file .* \(EROFS\): .*read-only: mount a writable folder/);
  });

  test("a state file on a full disk is named, and what it held stays", async () => {
    const folder = mountSmall(node().folder.path, "full", "rw");
    const file = join(folder, "state.json");
    const before = JSON.stringify({ version: 1, namespaces: {} });
    writeFileSync(file, before);
    fillUp(folder);

    const result = await pruneWith(file);

    expectOneLine(result, 1, /cannot write the state file .* \(ENOSPC\): free space/);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("a removal that nobody confirmed is refused", async () => {
    const result = await node().prunelet(["prune", ...live]);

    expectOneLine(result, 3, /1 image and 1 name .* would be removed: add --yes/);
  });
});
