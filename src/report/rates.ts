/**
 * Which win rate a figure shows: the length-controlled one where every comparison of it has one, else the raw one of all, never some of
 * each.
 * May not know: sections.
 */
import type { LcModel } from "../options/lc-models.js";
import type { ComparisonResult, Spread } from "../records/study.js";
import type { WinrateEntry } from "../records/winrate.js";

export interface Rates {
  readonly controlled: boolean;
  /** On an axis and in a sentence. */
  readonly noun: string;
  readonly of: (one: ComparisonResult) => Spread;
}

export function rates(comparisons: readonly ComparisonResult[]): Rates {
  const controlled = comparisons.every((one) => controlledOf(one) !== null);
  return {
    controlled,
    noun: controlled ? "length-controlled win rate" : "win rate",
    of: (one) => (controlled ? (controlledOf(one) ?? one.win_rate) : one.win_rate),
  };
}

/**
 * The length-controlled rate, where there is one. A fit whose penalty set the arm's own term to 0 says a draw whatever the verdicts are,
 * and is none.
 */
export const controlledOf = ({
  length_controlled: fitted,
  pairs,
}: ComparisonResult): ComparisonResult["length_controlled"] =>
  pairs.some(({ summary }) => isCollapsed(summary)) ? null : fitted;

const isCollapsed = ({ lc, weights }: WinrateEntry): boolean => lc.model !== "length" && weights?.bias === 0;

export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** What the paper published of its own models, by the name that a figure gives it. */
export const publishedOf = ({ published }: ComparisonResult): { readonly name: string; readonly value: number }[] =>
  Object.entries(published ?? {}).map(([name, { mean }]) => ({ name: `the paper's ${name}`, value: mean }));

/** What length control is, and which models were fitted for it; undefined where none was. */
export function lengthControl(comparisons: readonly ComparisonResult[]): string | undefined {
  const fits = new Set(comparisons.flatMap(({ pairs }) => pairs.flatMap(({ summary }) => summary.lc.model ?? [])));
  const named = [...fits].sort().map((fit) => `${fit}: ${FITS[fit]}`);
  if (named.length === 0) return undefined;
  return `Length-controlled is what a logistic model of the verdicts says the win rate would be if both answers were equally long (${named.join("; ")}).`;
}

/** What explains a verdict, by the name in `tacit winrate`. */
const FITS: Readonly<Record<LcModel, string>> = {
  length: "by length and arm, the arm's own term without a penalty",
  v1: "by length, difficulty of the instruction and arm, with gamed baselines",
  noreg: "by length, difficulty of the instruction and arm",
  minimal: "by length and arm, both penalised",
};
