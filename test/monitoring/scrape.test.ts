// A real Prometheus scrapes a running agent: what the metric table promises is what an operator can query.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type MetricRow, metricTable } from "../../src/report/metric-table.ts";
import { waitFor } from "../support/wait.ts";
import { type Agent, startAgent } from "./agents.ts";
import { type Prometheus, type Series, startPrometheus } from "./prometheus.ts";
import { skipReason, titled } from "./tools.ts";

/** What a healthy agent on the embedded runtime has no occasion to count; it is still announced with its type and help. */
const withoutOccasion = new Set<string>(["runtime_call_duration_seconds"]);

const rows: readonly MetricRow[] = Object.values(metricTable);
const produced = rows.filter(({ name }) => !withoutOccasion.has(name));

describe.skipIf(skipReason() !== undefined)(titled("Prometheus and a running agent"), { timeout: 60_000 }, () => {
  let agent: Agent | undefined;
  let prometheus: Prometheus;

  beforeAll(async () => {
    agent = await startAgent({ node: "worker-1", seed: 7 });
    prometheus = await startPrometheus({ targets: [agent] });
    await waitFor(
      "the first removal to be scraped",
      async () => (await prometheus.query("prunelet_images_deleted_total > 0")).length,
      { timeoutMs: 40_000, intervalMs: 500 },
    );
  }, 90_000);

  afterAll(async () => {
    await prometheus?.stop();
    await agent?.stop();
  }, 30_000);

  test.each(produced.map((row) => ({ ...row })))(
    "finds prunelet_$name with its labels",
    async ({ name, type, labels }) => {
      const sample = type === "histogram" ? `prunelet_${name}_bucket` : `prunelet_${name}`;

      const found = await answer(prometheus, sample);

      const expected = [...labels, ...(type === "histogram" ? ["le"] : []), "__name__", "instance", "job", "node"];
      for (const series of found)
        expect(withoutMaybeEmpty(Object.keys(series.labels))).toEqual(withoutMaybeEmpty(expected));
    },
  );

  test("knows every metric of the table by type and help", async () => {
    const metadata = z.record(z.string(), z.array(z.object({ type: z.string(), help: z.string() })));

    const known = metadata.parse(await prometheus.get("metadata"));

    for (const { name, type, help } of rows) expect(known[`prunelet_${name}`]).toEqual([{ type, help }]);
  });

  test("stays below 400 series for a node", async () => {
    const [all] = await answer(prometheus, 'count({job="prunelet"})');

    expect(all?.values[0]?.[1]).toBeLessThan(400);
  });

  test.each(documentedQueries())("answers %s, which docs/metrics.md shows", async (expression) => {
    await expect(prometheus.query(expression)).resolves.toBeInstanceOf(Array);
  });

  test("sees an agent that is up, its start time and its memory", async () => {
    const [up] = await answer(prometheus, 'up{node="worker-1"} == 1');
    const [age] = await answer(prometheus, 'time() - process_start_time_seconds{node="worker-1"}');
    const [memory] = await answer(prometheus, 'process_resident_memory_bytes{node="worker-1"}');

    expect(up?.values[0]?.[1]).toBe(1);
    expect(age?.values[0]?.[1]).toBeLessThan(600);
    expect(memory?.values[0]?.[1]).toBeGreaterThan(1e6);
  });
});

/** A scrape that took too long on a busy machine leaves nothing to be found until the next one. */
function answer(prometheus: Prometheus, expression: string): Promise<readonly Series[]> {
  return waitFor(`an answer to ${expression}`, async () => {
    const found = await prometheus.query(expression);
    return found.length > 0 ? found : undefined;
  });
}

function withoutMaybeEmpty(labels: readonly string[]): readonly string[] {
  return labels.toSorted();
}

function documentedQueries(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const [, table = ""] = page.split("## Questions and their PromQL");
  return [...table.matchAll(/\| `(.+?)` +\|$/gm)].map(([, expression = ""]) => expression);
}
