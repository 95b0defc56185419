// A private Prometheus server for one test: a folder and a port of its own, one target for each agent.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import * as z from "zod";
import { createTempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";
import { toolPath } from "./tools.ts";

/** An address to be scraped, and the label that the chart's monitors give each agent. */
export interface Target {
  /** `host:port` */
  readonly address: string;
  readonly node: string;
}

/** One series of an answer; values are `[unix seconds, number]`, one of them for an instant query. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, number])[];
}

export interface Prometheus {
  readonly url: string;
  query(expression: string): Promise<readonly Series[]>;
  queryRange(expression: string, range: { start: number; end: number; step: number }): Promise<readonly Series[]>;
  /** Data of any other path below /api/v1. */
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  readonly targets: readonly Target[];
  /** Rule files to evaluate, every second. */
  readonly rules?: readonly string[];
}

/** Starts Prometheus, which scrapes each target every second, and waits until it answers. */
export async function startPrometheus({ targets, rules = [] }: PrometheusOptions): Promise<Prometheus> {
  const folder = createTempFolder();
  writeFileSync(join(folder.path, "prometheus.yml"), configFor(targets, rules));
  const child = spawn(
    toolPath("prometheus"),
    [
      `--config.file=${folder.path}/prometheus.yml`,
      `--storage.tsdb.path=${folder.path}/data`,
      "--web.listen-address=127.0.0.1:0",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const stop = async () => {
    await end(child);
    folder.remove();
  };
  try {
    const url = await listeningUrl(child);
    const get = (path: string) => getData(url, path);
    return {
      url,
      get,
      query: async (expression) => seriesOf(await get(`query?query=${encodeURIComponent(expression)}`)),
      queryRange: async (expression, { start, end: until, step }) =>
        seriesOf(
          await get(`query_range?query=${encodeURIComponent(expression)}&start=${start}&end=${until}&step=${step}`),
        ),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configFor(targets: readonly Target[], rules: readonly string[]): string {
  return stringify({
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: "prunelet",
        static_configs: targets.map(({ address, node }) => ({ targets: [address], labels: { node } })),
      },
    ],
  });
}

/** The port is chosen by the system; the server says which in its log, and is ready a little later. */
async function listeningUrl(child: ChildProcess): Promise<string> {
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const address = await waitFor("Prometheus to listen", () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${log}`);
    return /msg="Listening on" address=(\S+)/.exec(log)?.[1];
  });
  const url = `http://${address}`;
  await waitFor("Prometheus to be ready", async () => (await fetch(`${url}/-/ready`)).ok, { timeoutMs: 20_000 });
  return url;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(timer);
}

const answerSchema = z.object({ status: z.string(), data: z.unknown(), error: z.string().optional() });

async function getData(url: string, path: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
  const { status, data, error } = answerSchema.parse(await response.json());
  if (status !== "success") throw new Error(`${decodeURIComponent(path)}: ${error}`);
  return data;
}

const point = z.tuple([z.number(), z.string().transform(Number)]);
const labels = z.record(z.string(), z.string());
const resultSchema = z.union([
  z.object({ resultType: z.literal("scalar"), result: point }),
  z.object({ resultType: z.literal("vector"), result: z.array(z.object({ metric: labels, value: point })) }),
  z.object({ resultType: z.literal("matrix"), result: z.array(z.object({ metric: labels, values: z.array(point) })) }),
]);

function seriesOf(data: unknown): readonly Series[] {
  const parsed = resultSchema.parse(data);
  switch (parsed.resultType) {
    case "scalar":
      return [{ labels: {}, values: [parsed.result] }];
    case "vector":
      return parsed.result.map(({ metric, value }) => ({ labels: metric, values: [value] }));
    case "matrix":
      return parsed.result.map(({ metric, values }) => ({ labels: metric, values }));
  }
}
