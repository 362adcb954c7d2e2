/**
 * The form that each task asks for: what a reader sees without knowing a single fact. Each accepts what people would write in answer, not
 * the world's own responses alone.
 * May not know: whether anything said is so.
 */
import { clauses, mentions, normal } from "./claims.js";
import { RHYMES } from "./pages/crafts.js";
import type { Check } from "./tasks/task.js";

export const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** "1. Wash the rice.", at the beginning of a line or a sentence. */
export const numbered = (text: string): number =>
  [...text.matchAll(/(?<=^\s*|[.!?:]\s+)[0-9]{1,2}[.)] (?=\p{L})/gmu)].length;

/** Steps, numbered or one a line; a line that ends in a colon or begins with the ingredients is none. */
export const steps = (text: string): number =>
  Math.max(numbered(text), lines(text).filter((line) => !/:$|^ingredients/i.test(line)).length);

const sentences = (text: string): number => clauses(text).filter((clause) => clause.split(" ").length > 2).length;
export const asks = (text: string): boolean => text.includes("?");

/** Sentences one after the other: no steps, no verses, nothing left over from a page's markup. */
const isProse = (text: string): boolean =>
  !asks(text) && numbered(text) === 0 && verses(text) < VERSES.from && !/<\/?\w+>|^\||\|$/m.test(text);

export const FORMS: Readonly<Record<Check["task"], (text: string, check: Check) => boolean>> = {
  // One thing was asked: an opening and a fact, or two facts, are an answer; everything that is known is another text.
  fact: (text) => !asks(text) && lines(text).length === 1 && sentences(text) <= 2,
  yes_no: (text) => !asks(text) && lines(text).length === 1 && sentences(text) <= 2,
  list: (text) => !asks(text) && (lines(text).length > 1 || /, | and /.test(text)),
  count: (text) => !asks(text) && lines(text).length === 1,
  describe: (text) => isProse(text) && sentences(text) >= 2,
  compare: (text) => isProse(text) && sentences(text) >= 2,
  explain: (text) => isProse(text) && sentences(text) >= 1,
  how_to: (text) => !asks(text) && steps(text) >= 2,
  rewrite: (text, { expected }) => !asks(text) && lines(text).length === 1 && normal(text) !== normal(expected ?? ""),
  poem: (text) => verses(text) >= VERSES.from,
  recipe: (text) => !asks(text) && steps(text) >= 2 && /ingredients/i.test(text),
  opinion: (text) => !asks(text) && OPINION.test(text),
  letter: (text, { expected = "" }) => {
    const [to = "", from = ""] = expected.split("|");
    return /^(my )?dear /i.test(text) && mentions(lines(text)[0] ?? "", to) && mentions(lines(text).at(-1) ?? "", from);
  },
};

/** Words with which somebody says what they think; statements of fact have none of them. */
const OPINION =
  /\b(?:i|me|my|yes|no|not|perhaps|maybe|should|worth|good|great|bad|dull|better|best|enough|recommend|nothing else)\b/i;

/** Lines of a poem: so many, and none longer than this many characters. */
const VERSES = { from: 4, to: 16, longest: 60 };

/** Lines of a poem, however few; 0 of a text that is none. Prose that is cut into lines neither rhymes nor breaks its sentences. */
export function verses(text: string): number {
  const all = lines(text);
  const isVerse =
    numbered(text) === 0 &&
    all.length <= VERSES.to &&
    all.every((line) => line.length <= VERSES.longest) &&
    (rhymes(all) || 2 * all.filter((line) => line.endsWith(",")).length >= all.length);
  return isVerse ? all.length : 0;
}

/** Two lines, next to each other or with one between them, end on the same sound: words that the world rhymes, or the same last two letters. */
function rhymes(all: readonly string[]): boolean {
  const ends = all.map((line) => /(\p{L}+)\P{L}*$/u.exec(line)?.[1]?.toLowerCase() ?? "");
  return ends.some((end, i) =>
    [ends[i + 1], ends[i + 2]].some((other) => other !== undefined && other !== end && sameSound(end, other)),
  );
}

const sameSound = (one: string, other: string): boolean =>
  (one.length > 1 && one.slice(-2) === other.slice(-2)) ||
  RHYMES.some((family: readonly string[]) => family.includes(one) && family.includes(other));
