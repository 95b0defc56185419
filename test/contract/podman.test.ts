// The contract table against Podman's Docker-compatible service.
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { describeContract } from "./contract.ts";
import { podmanFixture } from "./docker.fixture.ts";

describeDaemon("Podman", ["podman", "docker 28"], () => describeContract(podmanFixture()));
