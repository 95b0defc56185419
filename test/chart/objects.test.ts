// The chart as a whole: both Helms accept it, and what they render is what Kubernetes' own schemas describe.
import { expect, test } from "vitest";
import { chartFolder, describeHelm, helmVersions, lint, render, runHelm } from "./helm.ts";
import { scenarios } from "./scenarios.ts";
import { problemsOf } from "./schemas.ts";

for (const helm of helmVersions) {
  describeHelm(`the chart with ${helm}`, [helm, "schemas"], () => {
    test.each(Object.entries(scenarios))("passes the strict linter: %s", async (_name, values) => {
      const output = await lint(helm, values);

      expect(output).toContain("1 chart(s) linted, 0 chart(s) failed");
    });

    test.each(Object.entries(scenarios))("renders objects that Kubernetes knows: %s", async (_name, values) => {
      const { objects } = await render(values, { helm });

      expect(objects.length).toBeGreaterThan(1);
      expect(objects.flatMap(problemsOf)).toEqual([]);
    });

    test("says which Kubernetes it needs", async () => {
      const shown = await runHelm(helm, ["template", "x", chartFolder, "--kube-version", "1.25.0"]);

      expect(shown).toContain("helm.sh/chart: prunelet-");
      await expect(runHelm(helm, ["template", "x", chartFolder, "--kube-version", "1.24.0"])).rejects.toThrow(/1\.25/);
    });
  });
}

describeHelm("the check against Kubernetes' schemas", ["helm3", "schemas"], () => {
  test("sees a field that does not exist, one of the wrong type and one that is missing", async () => {
    const monitor = (await render({ serviceMonitor: { enabled: true } })).one("ServiceMonitor");
    const service = (await render()).one("Service");
    const daemonSet = (await render()).one("DaemonSet");

    expect(problemsOf({ ...service, spec: { clusterIp: "None" } }).join()).toContain("clusterIp");
    expect(problemsOf({ ...daemonSet, spec: { minReadySeconds: "5" } }).join()).toMatch(
      /minReadySeconds must be integer/,
    );
    expect(problemsOf({ ...daemonSet, spec: {} }).join()).toContain("template");
    expect(problemsOf({ ...monitor, spec: { endpoint: [] } }).join()).toContain("endpoint");
  });
});

describeHelm("both Helms", helmVersions, () => {
  test.each(Object.entries(scenarios))("render the same: %s", async (_name, values) => {
    const [three, four] = await Promise.all(helmVersions.map((helm) => render(values, { helm })));

    expect(four?.objects).toEqual(three?.objects);
  });
});

describeHelm("names and labels", ["helm3"], () => {
  test("lets two releases live side by side in one namespace", async () => {
    const one = await render({}, { release: "workers" });
    const other = await render({}, { release: "gpu" });

    const names = (rendered: typeof one) => rendered.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names(one).filter((name) => names(other).includes(name))).toEqual([]);
  });

  test("keeps names within 63 characters, whatever the release is called", async () => {
    const { objects } = await render(scenarios["everything"], { release: "a".repeat(53) });

    for (const { metadata } of objects) expect(metadata.name.length).toBeLessThanOrEqual(63);
  });

  test("puts the usual labels and the common ones on every object", async () => {
    const { objects } = await render(scenarios["everything"]);

    const usual = { "app.kubernetes.io/name": "prunelet", "app.kubernetes.io/instance": "prunelet", team: "platform" };
    for (const { metadata } of objects) expect(metadata["labels"]).toMatchObject(usual);
  });

  test("prefers the image's digest to its tag", async () => {
    const tagged = await render({ image: { repository: "r.example/p", tag: "v9" } });
    const pinned = await render(scenarios["everything"]);

    expect(JSON.stringify(tagged.container())).toContain('"image":"r.example/p:v9"');
    expect(JSON.stringify(pinned.container())).toContain(
      `"image":"registry.example/prunelet@sha256:${"a".repeat(64)}"`,
    );
  });
});
