// Wrong values are refused before anything reaches the cluster, with the name of the value.
import { expect, test } from "vitest";
import { describeHelm, helmVersions, render, type Values } from "./helm.ts";

const refused: readonly (readonly [string, Values, RegExp])[] = [
  ["an unknown value", { tolerationz: [] }, /tolerationz/],
  ["an unknown value in a section", { runtime: { soket: "/run/x/y.sock" } }, /soket/],
  ["a value of the wrong type", { serviceMonitor: { enabled: "yes" } }, /serviceMonitor[./]enabled/],
  ["an unknown preset", { runtime: { preset: "podman" } }, /runtime[./]preset/],
  ["a relative socket", { runtime: { preset: "custom", socket: "run/containerd.sock" } }, /runtime[./]socket/],
  ["a custom preset without a socket", { runtime: { preset: "custom" } }, /runtime\.socket must be the absolute path/],
  [
    "a socket beside a preset",
    { runtime: { socket: "/run/x/y.sock" } },
    /runtime\.socket is for runtime\.preset custom/,
  ],
  ["a digest that is none", { image: { digest: "sha256:abc" } }, /image[./]digest/],
  ["an empty repository", { image: { repository: "" } }, /image[./]repository/],
  ["a share above all nodes", { updateStrategy: { maxUnavailable: "110%" } }, /updateStrategy[./]maxUnavailable/],
  ["no node at a time", { updateStrategy: { maxUnavailable: 0 } }, /updateStrategy[./]maxUnavailable/],
  ["an unknown key of the agent", { config: { intervall: "5m" } }, /intervall/],
  ["a duration without a unit", { config: { policy: { unusedFor: "24" } } }, /policy[./]unusedFor/],
  [
    "a wrong value in a pool of nodes",
    { config: { nodePools: [{ name: "ci", match: {}, act: { concurrency: "x" } }] } },
    /nodePools[./]0[./]act[./]concurrency/,
  ],
  ["a log level that there is none of", { config: { log: { level: "loud" } } }, /log[./]level/],
  [
    "a state file outside of the mounted folder",
    { config: { stateFile: "/data/state.json" } },
    /config\.stateFile is \/data/,
  ],
  [
    "an audit file outside of the mounted folder",
    { config: { audit: { file: "/data/audit.jsonl" } } },
    /config\.audit\.file is \/data/,
  ],
  ["both monitors", { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } }, /scrape each agent twice/],
  [
    "a service monitor without a service",
    { serviceMonitor: { enabled: true }, service: { enabled: false } },
    /needs service\.enabled/,
  ],
  [
    "a data folder nobody knows",
    { runtime: { preset: "custom", socket: "/run/x/y.sock", mountDataFolder: true } },
    /needs runtime\.dataFolder/,
  ],
  ["a port that there is none of", { networkPolicy: { apiServerPorts: [70000] } }, /networkPolicy[./]apiServerPorts/],
];

for (const helm of helmVersions) {
  describeHelm(`${helm} refuses`, [helm], () => {
    test.each(refused)("%s", async (_name, values, message) => {
      await expect(render(values, { helm })).rejects.toThrow(message);
    });
  });
}
