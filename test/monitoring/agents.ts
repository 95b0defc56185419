// Real agents for Prometheus to scrape: the built program on the embedded runtime, at a quick pace.
import { startPrunelet } from "../support/prunelet.ts";
import { waitFor } from "../support/wait.ts";
import type { Target } from "./prometheus.ts";

export interface Agent extends Target {
  stop(): Promise<void>;
}

export interface AgentOptions {
  /** The name of the node, for the label `node`. */
  readonly node: string;
  /** The same seed gives the same busy node. */
  readonly seed: number;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `prunelet run` on a port that the system chooses, and waits until it serves metrics. */
export async function startAgent({ node, seed, timeoutMs = 600_000, env = {} }: AgentOptions): Promise<Agent> {
  const agent = startPrunelet(["run", "--runtime", "embedded"], {
    timeoutMs,
    env: {
      PRUNELET_SEED: String(seed),
      PRUNELET_INTERVAL: "2s",
      PRUNELET_POLICY_UNUSED_FOR: "6s",
      PRUNELET_POLICY_MIN_AGE: "3s",
      PRUNELET_HTTP_LISTEN: "127.0.0.1:0",
      PRUNELET_LOG_FORMAT: "text",
      ...env,
    },
  });
  const stop = async () => {
    if (!agent.hasEnded()) agent.signal("SIGTERM");
    await agent.ended;
  };
  try {
    const address = await waitFor(
      "the agent to say where its metrics are",
      () => {
        if (agent.hasEnded()) throw new Error(`the agent ended: ${agent.stderr()}`);
        return /metrics at http:\/\/(\S+)\/metrics/.exec(agent.stdout() + agent.stderr())?.[1];
      },
      { timeoutMs: 30_000 },
    );
    return { address, node, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
