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
 */
export function chooseC(rows: Rows, folds: Uint8Array, grid: readonly number[] = C_GRID): ChosenC {
  invariant(folds.length === rows.labels.length, `${folds.length} folds for ${rows.labels.length} rows`);
  const names = [...new Set(folds)];
  const losses = grid.map(() => 0);
  for (const fold of names) {
    const kept = { ...rows, weights: rows.weights.map((weight, i) => (folds[i] === fold ? 0 : weight)) };
    let w: readonly number[] | undefined; // each fit starts from its neighbour's optimum
    for (const [index, c] of grid.entries()) {
      w = fitL1Logistic(kept, c, w);
      losses[index] = (losses[index] ?? 0) + heldOutLoss(rows, folds, fold, w) / names.length;
    }
  }
  const index = losses.indexOf(Math.min(...losses));
  const c = grid[index];
  invariant(c !== undefined, "cross-validation over no strength, or losses that are no numbers");
  return { c, index, losses };
}

function heldOutLoss(rows: Rows, folds: Uint8Array, fold: number, w: readonly number[]): number {
  const predictions = predict(rows.columns, w);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < folds.length; i++) {
    if (folds[i] !== fold) continue;
    const p = Math.min(1 - EPSILON, Math.max(EPSILON, predictions[i] as number));
    const y = rows.labels[i] as number;
    sum -= (rows.weights[i] as number) * (y * Math.log(p) + (1 - y) * Math.log(1 - p));
    count++;
  }
  return sum / count;
}
