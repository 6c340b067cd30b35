// Finding entries by a few letters of their title. Pure.

/** Entries whose title holds the letters in order; those that hold them together come first. */
export function matching<T extends { title: string }>(entries: readonly T[], text: string): T[] {
  const letters = text.toLowerCase().replace(/\s+/g, "");
  if (!letters) return [...entries];
  const scored = entries.map((entry) => ({ entry, score: score(entry.title.toLowerCase(), letters) }));
  return scored
    .filter(({ score }) => score < Infinity)
    .sort((a, b) => a.score - b.score)
    .map(({ entry }) => entry);
}

function score(title: string, letters: string): number {
  const whole = title.replace(/\s+/g, "").indexOf(letters);
  if (whole >= 0) return whole;
  let at = -1;
  for (const letter of letters) {
    at = title.indexOf(letter, at + 1);
    if (at < 0) return Infinity;
  }
  return 1000 + at;
}
