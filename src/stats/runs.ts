/**
 * A table of prompts × runs (seeds of one model): its mean, how far it can be trusted when both other prompts and other runs might have
 * been drawn, and the difference of two such tables on the same prompts.
 *
 *   y_sp = μ + run_s + prompt_p + noise_sp          s = 1 … S,  p = 1 … P
 *
 * May not know: files, judges.
 *
 * @see Searle, Casella and McCulloch, Variance Components (1992), section 4.4; Satterthwaite (1946) for the degrees of freedom
 */
import { winrateOptions } from "../options/measure.js";
import { invariant } from "../util/errors.js";
import { type OptionsOf, pick, withDefaults } from "../util/options.js";
import { randomStream } from "../util/random.js";
import { normalQuantile, studentQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";

/** One run: the value at each prompt, `[P]`, NaN where there is none. All runs of a comparison share the order of prompts. */
export type Run = Float64Array;

/** A table without gaps: only prompts that have a value in every run. */
interface Table {
  /** `[S]` means over prompts. */
  readonly runMeans: readonly number[];
  /** `[P]` means over runs. */
  readonly promptMeans: Float64Array;
  readonly mean: number;
  /** Of the run effects; at least 0. */
  readonly runVariance: number;
}

/** A part of a variance, and what stands for it in Satterthwaite's formula, with the degrees of freedom behind it. */
interface Part {
  readonly variance: number;
  readonly meanSquare: number;
  readonly df: number;
}

export interface Spread {
  readonly mean: number | undefined;
  /** Sample standard deviation (n − 1), as papers report seeds; undefined for one. */
  readonly sd: number | undefined;
  readonly n: number;
}

/** Mean and standard deviation over runs. */
export function spread(values: readonly number[]): Spread {
  const n = values.length;
  if (n === 0) return { mean: undefined, sd: undefined, n };
  const mean = average(values);
  if (n === 1) return { mean, sd: undefined, n };
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)), n };
}

/**
 * The mean over prompts and runs, with an interval for new prompts and new runs. With one run it is for new prompts only, and says so.
 * `n` is the number of prompts that have a value in every run.
 */
export function crossedMean(runs: readonly Run[], level: number = LEVEL): Estimate {
  const kept = completePrompts(runs);
  const method = `${percent(level)} t interval over prompts${runs.length > 1 ? ` and ${runs.length} runs` : ""}`;
  const table = tableOf(runs, kept);
  if (table === undefined) return { estimate: undefined, low: undefined, high: undefined, n: 0, method };
  const none = { estimate: table.mean, low: undefined, high: undefined, n: kept.length, method };
  if (kept.length < 2) return none;
  const { variance, df } = combined([promptPart(table.promptMeans), runPart(table)]);
  const half = studentQuantile((1 + level) / 2, df) * Math.sqrt(variance);
  return { ...none, low: table.mean - half, high: table.mean + half };
}

const drawing = pick(winrateOptions, "resamples", "seed");

/** Beyond 100,000 prompts, whose mean varies smoothly, there are fewer resamples, but at least 200. */
export interface DifferenceOptions extends OptionsOf<typeof drawing> {
  readonly level?: number;
}

const MAX_DRAWS = 2e8;

/**
 * Mean of a less mean of b over the prompts that have a value in every run of both, with a percentile bootstrap interval.
 *
 * A resample draws prompts with replacement, each with all its runs; and for each side with several runs, S − 1 of its run effects
 * (which makes their variance unbiased), shrunk by what the prompts' noise explains of them. The interval is widened by Student's t over the normal
 * quantile, since a handful of runs says little of their spread.
 *
 * @see Davison and Hinkley, Bootstrap Methods (1997), sections 2.4 and 3.8; Carpenter, Goldstein and Rasbash (2003) for the shrinking
 */
export function pairedDifference(a: readonly Run[], b: readonly Run[], options: DifferenceOptions = {}): Estimate {
  const { seed, resamples: wanted, level = LEVEL } = withDefaults(drawing, options);
  const kept = completePrompts([...a, ...b]);
  const resamples = Math.max(200, Math.min(wanted, Math.floor(MAX_DRAWS / (kept.length + 1))));
  const several = a.length > 1 || b.length > 1;
  const method = `${percent(level)} bootstrap interval of the paired difference, prompts${several ? " and runs" : ""} resampled (${resamples} times)`;
  const [left, right] = [tableOf(a, kept), tableOf(b, kept)];
  if (left === undefined || right === undefined)
    return { estimate: undefined, low: undefined, high: undefined, n: 0, method };
  const differences = left.promptMeans.map((value, i) => value - (right.promptMeans[i] as number));
  const estimate = left.mean - right.mean;
  const none = { estimate, low: undefined, high: undefined, n: kept.length, method };
  if (kept.length < 2) return none;
  const random = randomStream(seed, "paired-difference");
  const effects = [runEffects(left, a.length), runEffects(right, b.length).map((effect) => -effect)];
  const draws = Float64Array.from({ length: resamples }, () => {
    let total = 0;
    for (let i = 0; i < differences.length; i++) total += differences[random.integer(differences.length)] as number;
    const moved = effects.reduce((sum, side) => sum + meanOfFewer(side, random.integer), 0);
    return total / differences.length + moved;
  }).sort();
  const { df } = combined([promptPart(differences), runPart(left), runPart(right)]);
  const widen = studentQuantile((1 + level) / 2, df) / normalQuantile((1 + level) / 2);
  const bound = (share: number): number => estimate + widen * (quantile(draws, share) - estimate);
  return { ...none, low: bound((1 - level) / 2), high: bound((1 + level) / 2) };
}

/** Prompts, by place, that have a value in every run. */
function completePrompts(runs: readonly Run[]): number[] {
  const size = runs[0]?.length ?? 0;
  invariant(
    runs.every((run) => run.length === size),
    "runs over different lists of prompts",
  );
  return Array.from({ length: size }, (_, p) => p).filter((p) => runs.every((run) => !Number.isNaN(run[p])));
}

/** Undefined where nothing is left. */
function tableOf(runs: readonly Run[], kept: readonly number[]): Table | undefined {
  if (runs.length === 0 || kept.length === 0) return undefined;
  const runMeans = runs.map((run) => average(kept.map((p) => run[p] as number)));
  const promptMeans = Float64Array.from(kept, (p) => average(runs.map((run) => run[p] as number)));
  const mean = average(runMeans);
  const table = { runMeans, promptMeans, mean };
  return { ...table, runVariance: runVariance(runs, kept, table) };
}

/** σ² of the run effects by analysis of variance: what run means vary by, less what noise alone would make them vary by. */
function runVariance(runs: readonly Run[], kept: readonly number[], table: Omit<Table, "runVariance">): number {
  const [s, p] = [runs.length, kept.length];
  if (s < 2 || p < 2) return 0;
  let squares = 0;
  for (const [r, run] of runs.entries()) {
    for (const [i, prompt] of kept.entries()) {
      const fitted = (table.runMeans[r] as number) + (table.promptMeans[i] as number) - table.mean;
      squares += ((run[prompt] as number) - fitted) ** 2;
    }
  }
  const noise = squares / ((s - 1) * (p - 1));
  return Math.max(0, (spread(table.runMeans).sd ?? 0) ** 2 - noise / p);
}

/** Of a mean over prompts: prompt effects and the noise in them. */
function promptPart(values: Float64Array): Part {
  const sd = spread([...values]).sd ?? 0;
  const variance = (sd * sd) / values.length;
  return { variance, meanSquare: variance, df: values.length - 1 };
}

/**
 * What noise explains is taken off the variance. Its square in the degrees of freedom is that of the variance before times after, because where
 * too much is taken off, t must make up for it: with either alone coverage strays from 95 % by 2 points (bench/coverage.ts).
 */
function runPart({ runMeans, runVariance }: Table): Part {
  const [runs, sd] = [runMeans.length, spread(runMeans).sd ?? 0];
  return { variance: runVariance / runs, meanSquare: (Math.sqrt(runVariance) * sd) / runs, df: Math.max(1, runs - 1) };
}

/** The sum, with Satterthwaite's degrees of freedom. */
function combined(parts: readonly Part[]): { readonly variance: number; readonly df: number } {
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  const spoken = parts.reduce((sum, part) => sum + part.meanSquare ** 2 / part.df, 0);
  return {
    variance,
    df: spoken === 0 ? Math.max(...parts.map((part) => part.df)) : Math.max(1, variance ** 2 / spoken),
  };
}

/** Deviations of runs from their mean, shrunk so that their sample variance is that of the run effects. */
function runEffects(table: Table, runs: number): number[] {
  const sd = runs < 2 ? 0 : (spread(table.runMeans).sd ?? 0);
  const shrink = sd === 0 ? 0 : Math.sqrt(table.runVariance) / sd;
  return table.runMeans.map((mean) => shrink * (mean - table.mean));
}

function meanOfFewer(effects: readonly number[], integer: (n: number) => number): number {
  const count = effects.length - 1;
  if (count < 1) return 0;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += effects[integer(effects.length)] as number;
  return sum / count;
}

/** Linear between order statistics; `sorted` ascends. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  return low + (place - below) * ((sorted[Math.min(below + 1, sorted.length - 1)] as number) - low);
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
