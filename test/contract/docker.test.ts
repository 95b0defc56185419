// The contract table against Docker Engines of three lines with both image stores.

import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { everyEngine } from "../support/daemons/docker.ts";
import { describeContract } from "./contract.ts";
import { dockerFixture } from "./docker.fixture.ts";

for (const options of everyEngine) {
  describeDaemon(`Docker Engine ${options.version}, ${options.store}`, [`docker ${options.version}`], () =>
    describeContract(dockerFixture(options)),
  );
}
