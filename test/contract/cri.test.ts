// The contract table against every containerd line through CRI alone.
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { containerdLines } from "../support/daemons/manifest.ts";
import { describeContract } from "./contract.ts";
import { criFixture } from "./cri.fixture.ts";

for (const version of containerdLines) {
  describeDaemon(`CRI on containerd ${version}`, [`containerd ${version}`], () =>
    describeContract(criFixture(version)),
  );
}
