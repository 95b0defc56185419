// The contract table against Docker Engines of three lines with both image stores.

import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import type { DockerOptions } from "../support/daemons/docker.ts";
import { describeContract } from "./contract.ts";
import { dockerFixture } from "./docker.fixture.ts";

const engines: readonly DockerOptions[] = [
  { version: "20.10", store: "overlay2" },
  { version: "26", store: "overlay2" },
  { version: "26", store: "containerd" },
  { version: "28", store: "overlay2" },
  { version: "28", store: "containerd" },
];

for (const options of engines) {
  describeDaemon(`Docker Engine ${options.version}, ${options.store}`, [`docker ${options.version}`], () =>
    describeContract(dockerFixture(options)),
  );
}
