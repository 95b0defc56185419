// Reasons in words: a code and its detail as one phrase for people.
import type { Reason } from "../decide/reason.ts";

const leads: Readonly<Record<string, string>> = {
  "used-by-container": "used by ",
  "used-by-pod": "needed by ",
  "too-young": "too young: ",
};

/** One phrase. Details already are phrases for people; a few need to be led in. */
export function reasonInWords({ code, detail }: Reason<string>): string {
  const lead = leads[code] ?? "";
  return detail === "" ? code : `${lead}${detail}`;
}

/** Reasons that only follow from another name of the image say least. */
const followers = new Set(["companion-of-tag", "companion-of-image", "other-names", "last-name"]);

/** The reason that tells most, and how many others there are. */
export function mainReason(reasons: readonly Reason<string>[]): string {
  const telling = reasons.filter(({ code }) => !followers.has(code));
  const phrases = [...new Set((telling.length > 0 ? telling : reasons).map(reasonInWords))];
  const [first, ...others] = phrases;
  if (first === undefined) return "";
  return others.length === 0 ? first : `${first}, and ${others.length} more`;
}
