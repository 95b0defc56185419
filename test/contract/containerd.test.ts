// The contract table against every containerd line that this machine has.
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { containerdLines } from "../support/daemons/manifest.ts";
import { containerdFixture } from "./containerd.fixture.ts";
import { describeContract } from "./contract.ts";

for (const version of containerdLines) {
  describeDaemon(`containerd ${version}`, [`containerd ${version}`], () =>
    describeContract(containerdFixture(version)),
  );
}
