// What one prune of one contender took, and the figures of many of them.
import { type Figure, median, medianFigure } from "./benchmark.ts";

export interface PeerRun {
  /** From the start to the end of the client's process. */
  readonly seconds: number;
  /** Seconds of CPU that the daemons used until they came to rest. */
  readonly daemonCpu: number;
  /** Seconds of CPU, of the client. */
  readonly cpu: number;
  /** MiB, of the client. */
  readonly peak: number;
  /** Images that should be gone and are not. */
  readonly left: number;
  /** Errors that the client told. */
  readonly errors: number;
}

/** Runs of two contenders on the same kind of node. */
export interface Duel {
  /** Where: `containerd 2.1`. */
  readonly where: string;
  readonly peer: string;
  readonly own: readonly PeerRun[];
  readonly theirs: readonly PeerRun[];
}

/** The ratio comes first: below 1, prunelet is faster. */
export function figuresOfDuel({ where, peer, own, theirs }: Duel): readonly Figure[] {
  const seconds = (runs: readonly PeerRun[]) => runs.map((run) => run.seconds);
  const ratio = median(seconds(own)) / median(seconds(theirs));
  const pairs = [
    ["prunelet", own],
    [peer, theirs],
  ] as const;
  const each = (what: string, unit: Figure["unit"], pick: (run: PeerRun) => number): readonly Figure[] =>
    pairs.map(([name, runs]) => medianFigure(`${where}: ${what}: ${name}`, unit, runs.map(pick)));
  return [
    { what: `${where}: prunelet / ${peer}`, unit: "x", value: ratio, target: 1 },
    ...each("wall time", "s", (run) => run.seconds),
    ...each("daemon CPU", "s", (run) => run.daemonCpu),
    ...each("client CPU", "s", (run) => run.cpu),
    ...each("client peak memory", "MiB", (run) => run.peak),
    ...each("images left behind", "images", (run) => run.left),
    ...each("errors", "errors", (run) => run.errors),
  ];
}

/** Lets two contenders take turns, so that none profits from its place. */
export async function takeTurns(
  runs: number,
  contenders: { readonly own: () => Promise<PeerRun>; readonly theirs: () => Promise<PeerRun> },
): Promise<{ readonly own: readonly PeerRun[]; readonly theirs: readonly PeerRun[] }> {
  const results = { own: [] as PeerRun[], theirs: [] as PeerRun[] };
  for (let round = 0; round < runs; round += 1) {
    const order = round % 2 === 0 ? (["own", "theirs"] as const) : (["theirs", "own"] as const);
    for (const who of order) results[who].push(await contenders[who]());
  }
  return results;
}
