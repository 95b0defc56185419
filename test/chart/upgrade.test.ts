// A newer chart with the values of an older one: nothing that Kubernetes refuses to change, and no value that is forgotten.
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { at, chartFolder, describeHelm, helmVersions, render, type Values } from "./helm.ts";
import { problemsOf } from "./schemas.ts";

/** Every released chart's values, kept as they were. */
const releases = ["0.1.0"];

for (const helm of helmVersions) {
  describeHelm(`an upgrade with ${helm}`, [helm, "schemas"], () => {
    test.each(releases)("from %s accepts the values of then", async (release) => {
      const { objects } = await render(valuesOf(release), { helm });

      expect(objects.flatMap(problemsOf)).toEqual([]);
    });

    test.each(releases)("from %s works with --reuse-values, which knows no new values", async (release) => {
      const folder = mkdtempSync(join(tmpdir(), "prunelet-chart-"));
      try {
        cpSync(chartFolder, folder, { recursive: true });
        cpSync(fixture(release), join(folder, "values.yaml"));

        const { objects } = await render({}, { helm, chart: folder });

        expect(objects.flatMap(problemsOf)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}

describeHelm("an upgrade", ["helm3"], () => {
  test("keeps what cannot be changed: the selector of the pods and the role of the binding", async () => {
    const rendered = await render({}, { release: "r" });

    const selector = { "app.kubernetes.io/name": "prunelet", "app.kubernetes.io/instance": "r" };
    expect(at(rendered.one("DaemonSet"), "spec", "selector")).toEqual({ matchLabels: selector });
    expect(at(rendered.one("ClusterRoleBinding"), "roleRef", "name")).toBe("r-prunelet");
  });

  test("of the chart alone restarts no agent: the pods do not carry its version", async () => {
    const rendered = await render();

    expect(JSON.stringify(at(rendered.one("DaemonSet"), "spec", "template", "metadata"))).not.toContain(
      "helm.sh/chart",
    );
  });

  test("shows how to see the plan", () => {
    const notes = readFileSync(join(chartFolder, "templates/NOTES.txt"), "utf8");

    expect(notes).toContain("exec daemonset/{{ $name }} -- prunelet plan");
  });
});

function fixture(release: string): string {
  return join(import.meta.dirname, `values-${release}.yaml`);
}

function valuesOf(release: string): Values {
  return parse(readFileSync(fixture(release), "utf8")) as Values;
}
