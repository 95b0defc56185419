// The contract table against every containerd line through CRI alone, and through the API version before v1 where it still exists.
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { containerdLines } from "../support/daemons/manifest.ts";
import { describeContract } from "./contract.ts";
import { criFixture } from "./cri.fixture.ts";

for (const version of containerdLines) {
  describeDaemon(`CRI v1 on containerd ${version}`, [`containerd ${version}`], () =>
    describeContract(criFixture(version, "v1")),
  );
}

describeDaemon("CRI v1alpha2 on containerd 1.6", ["containerd 1.6"], () =>
  describeContract(criFixture("1.6", "v1alpha2")),
);
