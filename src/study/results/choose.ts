/**
 * The choice of one number of epochs for an arm: the best mean on the validation set, and every number that cannot be told apart from
 * it on the same prompts and seeds.
 * May not know: how anything was measured.
 */
import type { Choice } from "../../records/study.js";
import { type Estimate, LEVEL, percent, toEstimateRecord } from "../../stats/estimate.js";
import { crossedMean, pairedDifference } from "../../stats/runs.js";
import { present, UserError } from "../../util/errors.js";

/** Values of one model, one a prompt in the order of the validation set; null where there is none (no verdict). */
export type Values = readonly (number | null)[];

export interface Measured {
  readonly epochs: number;
  readonly seed: number;
  readonly values: Values;
}

export type Measure = Choice["measure"];

/**
 * Where two are equally good, fewer epochs are chosen. Prompts that lack a value for any model are left out for all, and counted.
 *
 * @param measured  one for each number of epochs and seed, all over the same prompts
 * @throws UserError  no prompt has a value for all models
 */
export function choose(measure: Measure, measured: readonly Measured[]): Omit<Choice, "model" | "arm"> {
  const epochs = [...new Set(measured.map((one) => one.epochs))];
  const seeds = [...new Set(measured.map(({ seed }) => seed))];
  const prompts = measured[0]?.values.length ?? 0;
  const whole = Array.from({ length: prompts }, (_, i) => i).filter((i) =>
    measured.every(({ values }) => values[i] != null),
  );
  if (whole.length === 0) {
    throw new UserError("no validation prompt has a value for every model, so that no number of epochs can be chosen", {
      remedy: "look at the ledgers of the judge",
    });
  }
  /** One run a seed, over the prompts that have all values. */
  const runsOf = (n: number): Float64Array[] =>
    seeds.map((seed) => {
      const model = present(
        measured.find((one) => one.epochs === n && one.seed === seed),
        `seed ${seed}, ${n} epochs`,
      );
      return Float64Array.from(whole, (i) => present(model.values[i], "a value"));
    });
  const table = new Map(epochs.map((n) => [n, runsOf(n)]));
  const worseIs = measure === "loss" ? 1 : -1;
  const chosen = best(table, worseIs);
  const reference = present(table.get(chosen), "the best");
  const rows = epochs.map((n) => {
    const mine = present(table.get(n), "runs");
    const [worse, better] = measure === "loss" ? [mine, reference] : [reference, mine];
    const worseBy = n === chosen ? undefined : pairedDifference(worse, better);
    return {
      epochs: n,
      value: toEstimateRecord(crossedMean(mine)),
      worse_by: worseBy === undefined ? null : toEstimateRecord(worseBy),
      tied: worseBy === undefined || holdsZero(worseBy),
      seeds: seeds.map((seed, s) => ({ seed, value: mean([...present(mine[s], "a run")]) })),
    };
  });
  return {
    measure,
    epochs: rows,
    chosen,
    tied: rows.filter(({ tied }) => tied).map((row) => row.epochs),
    seeds,
    prompts: whole.length,
    prompts_left_out: prompts - whole.length,
    method: `${measure === "loss" ? "lowest" : "highest"} mean; tied: the ${percent(LEVEL)} interval of the paired difference, prompts and seeds drawn again, holds 0`,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function best(table: ReadonlyMap<number, readonly Float64Array[]>, worseIs: number): number {
  const badness = ([n, runs]: readonly [number, readonly Float64Array[]]) => ({
    n,
    badness: worseIs * mean(runs.map((run) => mean([...run]))),
  });
  const ordered = [...table].sort(([a], [b]) => a - b).map(badness);
  const lowest = Math.min(...ordered.map((one) => one.badness));
  return present(
    ordered.find((one) => one.badness === lowest),
    "a best",
  ).n;
}

/** With one prompt alone there is no interval, and nothing is told apart. */
const holdsZero = ({ low, high }: Estimate): boolean =>
  low === undefined || high === undefined || (low <= 0 && high >= 0);
