import { expect, test } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { type Policy, removeAllUnused } from "../../src/decide/policy.ts";
import { dependsOnRecordTimes } from "../../src/decide/record-times.ts";

const history = emptyHistory("just-used");

test("what a person means by prune without flags needs no record times", () => {
  expect(dependsOnRecordTimes({ policy: removeAllUnused, history })).toBe(false);
});

test.each<Partial<Policy>>([{ minAge: 1 }, { keepPerRepository: 1 }, { until: [0] }, { order: "superseded-sooner" }])(
  "the rule %o does",
  (rule) => {
    expect(dependsOnRecordTimes({ policy: { ...removeAllUnused, ...rule }, history })).toBe(true);
  },
);

test("a captured node without a history does", () => {
  expect(dependsOnRecordTimes({ policy: removeAllUnused, history: emptyHistory("record-time") })).toBe(true);
});
