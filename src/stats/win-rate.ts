/**
 * The win rate of preferences, in one pass and constant memory, as AlpacaEval counts it.
 * May not know: files, judges.
 */

import type { PreferenceScale } from "../options/measure.js";

/** A verdict's preference as P(the model is better): a number from 0 to 1; undefined where the number is no preference. */
export function probabilityOf(preference: number, scale: PreferenceScale = "1..2"): number | undefined {
  if (scale === "0..1") return preference >= 0 && preference <= 1 ? preference : undefined;
  if (preference === 0) return 0.5; // a draw in old files
  return preference >= 1 && preference <= 2 ? preference - 1 : undefined;
}

/** Percentages from 0 to 100; undefined where there are too few verdicts to have one, or where identical outputs alone have one. */
export interface WinRate {
  /** Mean preference for the model. */
  readonly winRate: number | undefined;
  /** Sample standard deviation over √n. */
  readonly standardError: number | undefined;
  /** Wins and half of the draws. */
  readonly discreteWinRate: number | undefined;
  readonly wins: number;
  readonly winsBase: number;
  /** Preferences of exactly one half. */
  readonly draws: number;
  /** Verdicts. */
  readonly total: number;
}

export interface WinRateTally {
  /**
   * @param p          P(the model is better), as `probabilityOf` gives it
   * @param identical  both outputs are the same text: a draw that no judge decided
   */
  add(p: number, identical?: boolean): void;
  totals(): WinRate;
}

export function openWinRate(): WinRateTally {
  const counts = { wins: 0, winsBase: 0, draws: 0 };
  let total = 0;
  let decided = 0; // by a judge
  let sum = 0; // of wins and halves exact, so that 3 of 12 are 25 and not 24.999999999999996
  let mean = 0;
  let squares = 0; // Σ (p − mean)², by Welford's update
  return {
    add(p, identical = false) {
      total++;
      if (!identical) decided++;
      sum += p;
      const deviation = p - mean;
      mean += deviation / total;
      squares += deviation * (p - mean);
      counts[p > 0.5 ? "wins" : p < 0.5 ? "winsBase" : "draws"]++;
    },
    totals: () => ({
      ...counts,
      total,
      winRate: decided === 0 ? undefined : (100 * sum) / total,
      standardError: decided === 0 || total < 2 ? undefined : 100 * Math.sqrt(squares / (total - 1) / total),
      discreteWinRate: decided === 0 ? undefined : (100 * (counts.wins + counts.draws / 2)) / total,
    }),
  };
}

/** Why there is no win rate. */
export function whyNoRate({ total }: Pick<WinRate, "total">): string {
  if (total === 0) return "no row has a verdict";
  const all = total === 1 ? "the one verdict is a draw" : `all ${total} verdicts are draws`;
  return `${all} of identical outputs, which no judge decided`;
}

/**
 * Where the win rate would lie had the rows without a verdict all been lost, and had they all been won: percentages. Nothing is
 * assumed of them.
 */
export function winRateBounds(
  rate: WinRate,
  missing: number,
): { readonly low: number; readonly high: number } | undefined {
  const rows = rate.total + missing;
  if (rows === 0) return undefined;
  // without a rate all verdicts are draws of identical outputs
  const won = rate.winRate === undefined ? rate.draws / 2 : (rate.winRate / 100) * rate.total;
  return { low: (100 * won) / rows, high: (100 * (won + missing)) / rows };
}

/**
 * Whether a length-controlled win rate is so far from the raw one that the fit itself should be doubted: by more than 10 points and
 * by more than a quarter of the way to 0 or to 100. AlpacaEval's own warning.
 */
export function isExtremeChange(winRate: number, lengthControlled: number): boolean {
  const tooSmall = lengthControlled < Math.min(winRate - winRate / 4, winRate - 10);
  const tooLarge = lengthControlled > Math.max(winRate + (100 - winRate) / 4, winRate + 10);
  return tooSmall || tooLarge;
}
