// The contract table of the runtime port: every runtime runs the same cases, unchanged.
import { afterAll, beforeAll, describe, test } from "vitest";
import { callCases } from "./cases/call-cases.ts";
import { containerCases } from "./cases/container-cases.ts";
import { contentCases } from "./cases/content-cases.ts";
import { imageCases } from "./cases/image-cases.ts";
import { nameCases } from "./cases/name-cases.ts";
import type { ContractCase, RuntimeFixture } from "./subject.ts";

export const contractCases: readonly ContractCase[] = [
  ...callCases,
  ...nameCases,
  ...imageCases,
  ...contentCases,
  ...containerCases,
];

/** Declares one test per case. A case that needs what the runtime cannot do is skipped and says what is missing. */
export function describeContract(fixture: RuntimeFixture): void {
  describe(`the runtime contract, ${fixture.name}`, () => {
    beforeAll(() => fixture.open());
    afterAll(() => fixture.close());

    for (const contractCase of contractCases) {
      const missing = (contractCase.needs ?? []).filter((capability) => !fixture.capabilities[capability]);
      const title = missing.length > 0 ? `${contractCase.name} (missing: ${missing.join(", ")})` : contractCase.name;
      test.skipIf(missing.length > 0)(title, async () => {
        const subject = await fixture.subject();
        try {
          await contractCase.run(subject, fixture);
        } finally {
          await subject.stop();
        }
      });
    }
  });
}
