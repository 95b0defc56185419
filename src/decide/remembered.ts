// Answers about texts that can never change, remembered from plan to plan.

/** The function, which must be pure, with its answers remembered. Beyond `most` texts it begins anew, so that memory has an end. */
export function remembered<Answer>(most: number, answer: (text: string) => Answer): (text: string) => Answer {
  const known = new Map<string, Answer>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= most) known.clear();
    const found = answer(text);
    known.set(text, found);
    return found;
  };
}
