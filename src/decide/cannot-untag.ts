// Runtimes that cannot remove a single name: what would go from an image that stays has to stay with it.
import type { Reason } from "./reason.ts";
import type { NameDecision } from "./retention.ts";

/** The decisions about one image, changed so that either all of its names go or none. */
export function keepWhatCannotBeUntagged(names: readonly NameDecision[]): readonly NameDecision[] {
  const anchor = names.find(({ remove }) => remove === undefined);
  if (anchor === undefined) return names;
  return names.map((decision) => (decision.remove === undefined ? decision : spared(decision, anchor)));
}

function spared({ name, kind }: NameDecision, anchor: NameDecision): NameDecision {
  const detail = `this runtime removes images whole, and ${anchor.name.name} stays`;
  const reason: Reason = { code: "runtime-cannot-untag", detail };
  return { name, kind, keep: [reason] };
}
