/**
 * What a person probably meant: the known name that is nearest to one that is not known.
 * May not know: what is named.
 */

/** More letters than any name of ours has; the table grows with the product of both lengths. */
const LONGEST = 255;

/** The name that takes the fewest changed letters, where it is no more than a third of them. */
export function closest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string): string =>
    text
      .slice(0, LONGEST)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, "");
  const wanted = plain(name);
  const [best] = names
    .map((candidate) => ({ candidate, changes: changesBetween(wanted, plain(candidate)) }))
    .sort((a, b) => a.changes - b.changes);
  return best !== undefined && best.changes <= Math.max(1, Math.floor(wanted.length / 3)) ? best.candidate : undefined;
}

/** Letters put in, taken out or exchanged (Levenshtein), a row of the table at a time. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
