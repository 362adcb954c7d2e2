/**
 * Does a response begin by restating its instruction? Measured by words alone: how much of its opening stands in the instruction.
 * A rough measure, good enough to see whether a finding depends on such openings; its agreement with the verdicts of the paper's authors is in
 * `OVERLAP_QUALITY`, held by `test/shared/rephrase.test.ts`.
 * May not know: models, files.
 */
import { openingOf, WORD } from "./opening.js";

/** From here on an opening counts as a restatement. Chosen on the authors' verdicts for LIMA by the largest kappa. */
export const OVERLAP_THRESHOLD = 1.04;

/** Against 1,083 verdicts on LIMA (1,029 rows, 100 of them yes), the threshold chosen without the tenth that it judges. */
export const OVERLAP_QUALITY = { agreement: 0.919, kappa: 0.532, precision: 0.556, recall: 0.6 } as const;

/** Common words must be this many, or a single one would make an opening familiar. */
const FEW = 3;
/** What "Here are …" counts: it announces an answer instead of beginning it. */
const ANNOUNCED = 0.3;
/** Words of an opening that count. */
const LONGEST = 40;

/**
 * From 0 to 2.3: the share of the opening's content words that stand in the instruction, plus the likeness (Dice) of the opening to the
 * instruction's last sentence, plus a constant for an announcement.
 */
export function overlap(instruction: string, response: string): number {
  const opening = openingOf(response).text.split(/\s+/).slice(0, LONGEST).join(" ");
  const words = contentWords(opening);
  const familiar = common(words, contentWords(instruction));
  const asked = contentWords(lastSentence(instruction));
  const dice = words.size + asked.size === 0 ? 0 : (2 * common(words, asked)) / (words.size + asked.size);
  const share = (familiar / Math.max(1, words.size)) * Math.min(1, familiar / FEW);
  return share + dice + (ANNOUNCEMENT.test(opening) ? ANNOUNCED : 0);
}

const ANNOUNCEMENT =
  /^(?:(?:sure|certainly|of course|absolutely|okay|ok|yes|great)\b)?[,.! ]*(?:here(?:['’]s| is| are)|there (?:is|are)|these are|the following|below (?:is|are))\b/i;

const lastSentence = (text: string): string =>
  text
    .trim()
    .split(/(?<=[.?!])\s+|\n/)
    .at(-1) ?? "";

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const word of a) if (b.has(word)) count++;
  return count;
}

function contentWords(text: string): Set<string> {
  const words = (text.match(WORD) ?? []).map((word) => word.toLowerCase().replaceAll("’", "'"));
  return new Set(words.filter((word) => word.length > 1 && !FUNCTION_WORDS.has(word)).map(stem));
}

/** Endings taken off, the longest first, as long as three letters stay: enough to find "baking" in "bake". */
const ENDINGS = "ations ation ingly ings ing edly ies ied ers er est ed es ly s e y".split(" ");

function stem(word: string): string {
  const bare = word.replace(/'s$|'$/, "");
  const ending = ENDINGS.find((one) => bare.endsWith(one) && bare.length - one.length >= 3);
  return ending === undefined ? bare : bare.slice(0, -ending.length);
}

const FUNCTION_WORDS = new Set(
  (
    "a an the of to in on at for from by with and or but if so as is are was were be been being am do does did have has had i you he she " +
    "it we they me him her us them my your his its our their this that these those there here what which who whom whose when where why how " +
    "can could would should will shall may might must not no yes please help just some any all more most very too than then also into about " +
    "over up out off only own same such each few other re ve ll don im want need like get give tell write show make let know"
  ).split(" "),
);
