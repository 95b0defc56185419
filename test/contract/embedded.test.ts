// The contract table against the runtime in memory.
import { describeContract } from "./contract.ts";
import { embeddedFixture } from "./embedded.fixture.ts";

describeContract(embeddedFixture);
