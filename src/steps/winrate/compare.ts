/**
 * Models side by side: runs of one model together, and differences between models on the prompts that both were judged on.
 * May not know: files.
 */
import type { WinrateComparison, WinrateRuns } from "../../records/winrate.js";
import { studentQuantile } from "../../stats/distributions.js";
import { type Estimate, LEVEL, percent, toEstimateRecord } from "../../stats/estimate.js";
import { mcnemar } from "../../stats/mcnemar.js";
import { crossedMean, pairedDifference, type Run, spread } from "../../stats/runs.js";
import type { Evaluation } from "./collect.js";
import type { Evaluated } from "./evaluate.js";

/** One model in all its runs. */
export interface Model {
  readonly name: string;
  readonly runs: readonly { readonly evaluation: Evaluation; readonly evaluated: Evaluated }[];
}

/** Mean and standard deviation over runs, as the paper reports seeds. */
export function summariseRuns({ name, runs }: Model, prompts: number): WinrateRuns {
  const over = (values: readonly (number | null)[]) => {
    const { mean, sd, n } = spread(values.filter((value) => value !== null));
    return { mean: mean ?? null, sd: sd ?? null, n };
  };
  const overAll = (values: readonly (number | null)[]) =>
    values.includes(null) ? { mean: null, sd: null, n: values.filter((value) => value !== null).length } : over(values);
  const entries = runs.map(({ evaluated }) => evaluated.entry);
  return {
    name,
    win_rate: over(entries.map((entry) => entry.win_rate)),
    length_controlled_winrate: overAll(entries.map((entry) => entry.length_controlled_winrate)),
    interval: toEstimateRecord(crossedMean(runs.map(({ evaluation }) => runOf(evaluation, prompts)))),
  };
}

export interface CompareOptions {
  /** How many instructions there are in all files together. */
  readonly prompts: number;
  readonly seed: number;
  readonly resamples: number;
}

/** a less b, in points. */
export function compareModels(a: Model, b: Model, { prompts, seed, resamples }: CompareOptions): WinrateComparison {
  const [left, right] = [a, b].map((model) => model.runs.map(({ evaluation }) => runOf(evaluation, prompts))) as [
    Run[],
    Run[],
  ];
  const difference = pairedDifference(left, right, { seed, resamples });
  const all = [...left, ...right];
  const any = Array.from({ length: prompts }, (_, p) => p).filter((p) => all.some((run) => !Number.isNaN(run[p])));
  const shared = any.filter((p) => all.every((run) => !Number.isNaN(run[p])));
  const won = (runs: readonly Run[]): boolean[] =>
    shared.map((p) => runs.reduce((sum, run) => sum + (run[p] as number), 0) / runs.length > 50);
  const test = mcnemar(won(left), won(right));
  return {
    a: a.name,
    b: b.name,
    prompts: shared.length,
    left_out: any.length - shared.length,
    difference: toEstimateRecord(difference),
    length_controlled_difference: toEstimateRecord(lengthControlledDifference(a, b)),
    mcnemar: { only_a: test.onlyA, only_b: test.onlyB, n: test.n, p_value: test.pValue ?? null, method: test.method },
  };
}

/** Percentages by instruction; the mean of its rows where one is there several times. */
function runOf({ p, prompts: of }: Evaluation, prompts: number): Run {
  const sums = new Float64Array(prompts);
  const counts = new Float64Array(prompts);
  p.forEach((value, row) => {
    const prompt = of[row] as number;
    if (Number.isNaN(value)) return;
    sums[prompt] = (sums[prompt] as number) + 100 * value;
    counts[prompt] = (counts[prompt] as number) + 1;
  });
  return sums.map((sum, prompt) => (counts[prompt] === 0 ? Number.NaN : sum / (counts[prompt] as number)));
}

/** Of two models with one fit each: the difference of two sums over instructions is such a sum, too. */
function lengthControlledDifference(a: Model, b: Model): Estimate {
  const fits = [a, b].flatMap(({ runs }) => {
    const [only, more] = runs;
    const { lc, entry } = only?.evaluated ?? {};
    return more === undefined && lc?.kind === "fitted" ? [{ ...lc, model: entry?.lc.model }] : [];
  });
  const [left, right] = fits;
  const method = `${percent(LEVEL)} t interval of the difference of fitted means, delta method, clustered by instruction`;
  if (left === undefined || right === undefined) {
    return { estimate: undefined, low: undefined, high: undefined, n: 0, method: "needs one fit of each model" };
  }
  if (left.model !== right.model) {
    const fits = `${left.model} and ${right.model}`;
    return { estimate: undefined, low: undefined, high: undefined, n: 0, method: `needs one fit, not ${fits}` };
  }
  const influence = new Map(left.influence);
  for (const [prompt, value] of right.influence) influence.set(prompt, (influence.get(prompt) ?? 0) - value);
  const estimate = left.winRate - right.winRate;
  const n = influence.size;
  if (n < 2) return { estimate, low: undefined, high: undefined, n, method };
  const squares = [...influence.values()].reduce((sum, value) => sum + value * value, 0);
  const half = studentQuantile((1 + LEVEL) / 2, n - 1) * Math.sqrt((squares * n) / (n - 1));
  return { estimate, low: Math.max(-100, estimate - half), high: Math.min(100, estimate + half), n, method };
}
