/**
 * The penalty strength of a logistic fit by cross-validation: the one whose fits predict the held-out rows best.
 * May not know: what the features mean.
 */
import { invariant } from "../util/errors.js";
import { fitL1Logistic, predict, type Rows } from "./l1-logistic.js";

/** Ten strengths from 1e-4 to 1e4, evenly spaced in the logarithm: scikit-learn's default grid. */
export const C_GRID: readonly number[] = Array.from({ length: 10 }, (_, i) => 10 ** (-4 + (8 * i) / 9));

/** Predictions are held this far from 0 and 1 where their loss is taken. */
const EPSILON = 1e-15;

export interface ChosenC {
  readonly c: number;
  /** Place in the grid. */
  readonly index: number;
  /** For each strength the mean over folds of the mean weighted log loss (nats) of the rows held out. */
  readonly losses: readonly number[];
}

/**
 * @param folds  `[N]`, the fold in which each row is held out; every fold holds at least one row of weight
 * @param grid   ascending; the first of equally good strengths wins
 * @returns undefined where one of the fits has no optimum in double precision
 */
export function chooseC(rows: Rows, folds: Uint8Array, grid: readonly number[] = C_GRID): ChosenC | undefined {
  invariant(folds.length === rows.labels.length, `${folds.length} folds for ${rows.labels.length} rows`);
  const names = [...new Set(folds)];
  const losses = grid.map(() => 0);
  for (const fold of names) {
    const kept = subset(rows, (i) => folds[i] !== fold);
    const held = subset(rows, (i) => folds[i] === fold);
    let w: readonly number[] | undefined; // each fit starts from its neighbour's optimum
    for (const [index, c] of grid.entries()) {
      w = fitL1Logistic(kept, c, w);
      if (w === undefined) return undefined;
      losses[index] = (losses[index] ?? 0) + meanLoss(held, w) / names.length;
    }
  }
  const index = losses.indexOf(Math.min(...losses));
  const c = grid[index];
  invariant(c !== undefined, "cross-validation over no strength, or losses that are NaN");
  return { c, index, losses };
}

function subset({ columns, labels, weights }: Rows, test: (i: number) => boolean): Rows {
  const take = (values: Float64Array): Float64Array => values.filter((_, i) => test(i));
  return { columns: columns.map(take), labels: take(labels), weights: take(weights) };
}

/** Weighted log loss by the number of rows, as AlpacaEval's score has it: weights do not enter the denominator. */
function meanLoss({ columns, labels, weights }: Rows, w: readonly number[]): number {
  let sum = 0;
  predict(columns, w).forEach((prediction, i) => {
    const p = Math.min(1 - EPSILON, Math.max(EPSILON, prediction));
    const y = labels[i] as number;
    sum -= (weights[i] as number) * (y * Math.log(p) + (1 - y) * Math.log(1 - p));
  });
  return sum / labels.length;
}
