// What a person is told who typed a text that is no reference.

/** The problem, which is Docker's text and does not always say of what, with the text and the mend. */
export function explainInvalid(problem: string, text: string): string {
  if (text.trim() === "" || problem.includes("(")) return problem;
  return `${problem}: ${JSON.stringify(text)} is neither a name such as nginx:1.27 nor an image ID`;
}
