/**
 * AlpacaEval's length-controlled (LC) win rate: what the win rate would be had both outputs been equally long. A logistic model explains the
 * preferences by the difference in length, by how hard the instruction is, and by the model itself; its prediction with the length
 * term at 0, averaged over the rows, is the answer.
 *
 *   P(the model is better) = σ( θ_length · tanh(Δ / sd(Δ)) + θ_difficulty · difficulty + θ_bias )     Δ = characters of the baseline less the model
 *
 * May not know: files, where difficulties and gamed rows come from.
 *
 * @see Dubois, Galambosi, Liang and Hashimoto, Length-Controlled AlpacaEval (2024); docs/decisions/length-control.md
 */
import type { LcModel } from "../options/lc-models.js";
import { invariant } from "../util/errors.js";
import { type ChosenC, chooseC } from "./choose-c.js";
import { studentQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";
import { FOLDS, groupedFolds } from "./folds.js";
import { fitL1Logistic, predict, type Rows } from "./l1-logistic.js";

export type AlpacaEvalModel = Exclude<LcModel, "length">;

/** The rows of one model against its baseline, `[N]` each, those without a verdict included. */
export interface LcRows {
  /** P(the model is better); NaN where there is no verdict. */
  readonly p: Float64Array;
  /** Δ in code points. */
  readonly lengthDifference: Float64Array;
  /** Undefined for `minimal`. */
  readonly difficulty: Float64Array | undefined;
  /** Which instruction; rows of one instruction are held out together and count as one cluster. */
  readonly prompts: Int32Array;
}

/** Rows of the baseline against itself, asked to be wordy and asked to be terse: they tie the length term to what length alone does. */
export interface GamedRows {
  readonly p: Float64Array;
  /** Δ / sd(Δ), with the sd of each gamed model's own rows. */
  readonly standardDifference: Float64Array;
  readonly difficulty: Float64Array;
  readonly prompts: Int32Array;
  /** Of each row, where a row of the model has 1. */
  readonly weight: number;
}

export interface LcOptions {
  readonly model: AlpacaEvalModel;
  /** For `v1`. */
  readonly gamed?: GamedRows | undefined;
  /** Fixes the penalty strength. Without: cross-validation over ten. */
  readonly c?: number | undefined;
  /** Folds for `n` rows, the gamed ones first, then those with a verdict. Without: grouped by instruction. */
  readonly folds?: ((n: number) => Uint8Array) | undefined;
}

export interface LcFit {
  readonly kind: "fitted";
  /** Percentages. */
  readonly winRate: number;
  /** Of the predictions' mean over rows, as AlpacaEval gives it: how they spread, not how sure the fit is. */
  readonly standardError: number | undefined;
  /** How sure: clustered by instruction, the fit's own uncertainty included. */
  readonly interval: Estimate;
  /** Undefined where nothing is penalised. */
  readonly c: number | undefined;
  /** Undefined where c was given. */
  readonly chosen: ChosenC | undefined;
  readonly weights: LcWeights;
  /** Each instruction's share in the error of `winRate`, by prompt: what paired comparisons are made of. */
  readonly influence: ReadonlyMap<number, number>;
  /** What has to be said of the value beside it. */
  readonly note?: string;
}

export interface LcWeights {
  readonly length: number;
  readonly difficulty?: number;
  readonly bias: number;
}

export type Lc = LcFit | { readonly kind: "undefined"; readonly reason: string };

const undefinedLc = (reason: string): Lc => ({ kind: "undefined", reason });

export function lengthControlledWinRate(rows: LcRows, options: LcOptions): Lc {
  const { model, gamed } = options;
  invariant((model === "v1") === (gamed !== undefined), `${model} with${gamed === undefined ? "out" : ""} gamed rows`);
  const length = lengthFeature(rows.lengthDifference);
  if ("reason" in length) return undefinedLc(length.reason);
  const design = assemble(rows, length.values, options);
  const clusters = new Set(design.prompts).size;
  if (design.verdicts === 0) return undefinedLc("no row has a verdict");
  const folds =
    options.c === undefined ? (options.folds?.(design.prompts.length) ?? groupedFolds(design.prompts)) : undefined;
  if (folds !== undefined && (clusters < FOLDS || new Set(folds).size < 2)) {
    return undefinedLc(`cross-validation needs ${FOLDS} instructions with a verdict; fix the penalty strength instead`);
  }
  const chosen = folds === undefined ? undefined : chooseC(design.train, folds);
  const c = options.c ?? chosen?.c;
  const w = c === undefined ? undefined : fitL1Logistic(design.train, c);
  if (c === undefined || w === undefined) return undefinedLc(NO_OPTIMUM);
  return { kind: "fitted", c, chosen, weights: named(w), ...predicted(design, rows, c, w) };
}

const NO_OPTIMUM =
  "the fit has no optimum that can be computed: outputs all differ so far from the baseline's in length that length cannot be told apart from the model itself";

/** tanh(Δ / sd(Δ)), or why there is none. The sd is the sample's (n − 1), over all rows. */
function lengthFeature(differences: Float64Array): { readonly values: Float64Array } | { readonly reason: string } {
  const first = differences[0];
  if (first === undefined) return { reason: "there is no row" };
  if (differences.every((d) => d === first)) {
    // Equal lengths everywhere leave nothing to control for. Any other constant can not be told apart from the model itself.
    if (first === 0) return { values: new Float64Array(differences.length) };
    return { reason: `all outputs differ from the baseline's by the same ${Math.abs(first)} characters` };
  }
  const sd = Math.sqrt(sampleVariance(differences));
  return { values: differences.map((d) => Math.tanh(d / sd)) };
}

interface Design {
  /** Gamed rows, then the model's rows that have a verdict. */
  readonly train: Rows;
  readonly prompts: Int32Array;
  /** How many of the rows are gamed, and how many are not. */
  readonly gamed: number;
  readonly verdicts: number;
  /** All rows of the model, at equal lengths. */
  readonly test: readonly Float64Array[];
}

function assemble(rows: LcRows, length: Float64Array, { model, gamed }: LcOptions): Design {
  const judged = Uint32Array.from(rows.p.keys()).filter((i) => !Number.isNaN(rows.p[i]));
  const take = (values: ArrayLike<number>): Float64Array => Float64Array.from(judged, (i) => values[i] as number);
  const join = (before: Float64Array | undefined, after: Float64Array): Float64Array =>
    before === undefined ? after : Float64Array.from([...before, ...after]);
  const ones = (n: number): Float64Array => new Float64Array(n).fill(1);
  const bias = ones(judged.length + (gamed?.p.length ?? 0));
  gamed?.p.forEach((_, i) => {
    bias[i] = 0; // the gamed rows say nothing of the model itself
  });
  const difficulty = model === "minimal" ? undefined : rows.difficulty;
  invariant(model === "minimal" || difficulty !== undefined, `${model} without difficulties`);
  const withDifficulty = (column: () => Float64Array): Float64Array[] => (difficulty === undefined ? [] : [column()]);
  return {
    train: {
      columns: [
        join(gamed?.standardDifference.map(Math.tanh), take(length)),
        ...withDifficulty(() => join(gamed?.difficulty, take(difficulty ?? []))),
        bias,
      ],
      labels: join(gamed?.p, take(rows.p)),
      weights: join(
        gamed?.p.map(() => gamed.weight),
        ones(judged.length),
      ),
    },
    prompts: Int32Array.from(join(gamed && Float64Array.from(gamed.prompts), take(rows.prompts))),
    gamed: gamed?.p.length ?? 0,
    verdicts: judged.length,
    test: [
      new Float64Array(rows.p.length),
      ...withDifficulty(() => difficulty ?? new Float64Array()),
      ones(rows.p.length),
    ],
  };
}

function named(w: readonly number[]): LcWeights {
  const [length = 0, ...rest] = w;
  const bias = rest.at(-1) ?? 0;
  return rest.length === 2 ? { length, difficulty: rest[0] ?? 0, bias } : { length, bias };
}

/**
 * The LC win rate and its errors. Written as a sum over rows, the error of the mean prediction m is, to first order (the delta method for
 * an M-estimator, with the gamed rows, the penalty strength and which weights are 0 taken as given),
 *
 *   Σ_i (σ(t_i) − m) / n  +  gᵀ H⁻¹ Σ_i C (y_i − p_i) x_i          g = mean of σ'(t_i) t_i's features, H = the fit's Hessian
 *
 * so an instruction's influence is the sum of its rows' terms, and the variance is that of the sum of independent influences.
 */
function predicted(design: Design, rows: LcRows, c: number, w: readonly number[]) {
  const predictions = predict(design.test, w);
  const n = predictions.length;
  const mean = sum(predictions) / n;
  const direction = fitDirection(design, predictions, c, w);
  const influence = new Map<number, number>();
  const add = (prompt: number, by: number): void => void influence.set(prompt, (influence.get(prompt) ?? 0) + 100 * by);
  rows.prompts.forEach((prompt, i) => {
    add(prompt, ((predictions[i] as number) - mean) / n);
  });
  const fitted = predict(design.train.columns, w);
  for (let i = design.gamed; i < fitted.length; i++) {
    const residual = (design.train.labels[i] as number) - (fitted[i] as number);
    const along = direction.reduce((dot, d, j) => dot + d * (design.train.columns[j]?.[i] ?? 0), 0);
    add(design.prompts[i] as number, c * residual * along);
  }
  const winRate = 100 * mean;
  const standardError = n < 2 ? undefined : 100 * Math.sqrt(sampleVariance(predictions) / n);
  if (w.at(-1) !== 0) return { winRate, standardError, interval: intervalOf(winRate, influence, n), influence };
  const interval = {
    estimate: winRate,
    low: undefined,
    high: undefined,
    n,
    method: "none: the penalty set the model's own term to 0",
  };
  return { winRate, standardError, interval, influence, note: COLLAPSED };
}

/** What is left is a draw at equal lengths, whatever the verdicts: the interval, which takes it as given which weights are 0, would not say so. */
const COLLAPSED =
  "the penalty set the model's own term to 0, so that this fit says a draw whatever the verdicts are; the fit length has no such penalty";

/** H⁻¹ g over the weights that are not 0; 0 elsewhere. */
function fitDirection(design: Design, predictions: Float64Array, c: number, w: readonly number[]): number[] {
  const active = w.flatMap((wj, j) => (wj === 0 ? [] : [j]));
  const slope = predictions.map((p) => p * (1 - p));
  const gradient = active.map((j) => dot(slope, design.test[j] ?? []) / predictions.length);
  const fitted = predict(design.train.columns, w);
  const curvature = fitted.map((p, i) => c * (design.train.weights[i] as number) * p * (1 - p));
  const hessian = active.map((j) =>
    active.map((k) =>
      dot(
        curvature,
        (design.train.columns[j] ?? new Float64Array()).map((x, i) => x * (design.train.columns[k]?.[i] ?? 0)),
      ),
    ),
  );
  const solved = solve(hessian, gradient);
  return w.map((_, j) => (active.includes(j) ? (solved?.[active.indexOf(j)] ?? 0) : 0));
}

/** Within 0 and 100; Student's t with one degree of freedom less than there are instructions. */
function intervalOf(winRate: number, influence: ReadonlyMap<number, number>, n: number): Estimate {
  const clusters = influence.size;
  const method = `${percent(LEVEL)} t interval of the fitted mean, delta method, clustered by instruction (${clusters} clusters)`;
  if (clusters < 2) return { estimate: winRate, low: undefined, high: undefined, n, method };
  let squares = 0;
  for (const value of influence.values()) squares += value * value;
  const half = studentQuantile((1 + LEVEL) / 2, clusters - 1) * Math.sqrt((squares * clusters) / (clusters - 1));
  return { estimate: winRate, low: Math.max(0, winRate - half), high: Math.min(100, winRate + half), n, method };
}

/** A x = b for a small positive definite A, by elimination with pivots; undefined where A is singular. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] | undefined {
  const rows = a.map((row, i) => [...row, b[i] as number]);
  const size = rows.length;
  for (let k = 0; k < size; k++) {
    const tail = rows.slice(k).sort((p, q) => Math.abs(q[k] as number) - Math.abs(p[k] as number));
    rows.splice(k, tail.length, ...tail);
    const pivot = rows[k] as number[];
    if (Math.abs(pivot[k] as number) < 1e-300) return undefined;
    for (const [i, row] of rows.entries()) {
      if (i === k) continue;
      const factor = (row[k] as number) / (pivot[k] as number);
      for (let j = k; j <= size; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
    }
  }
  return rows.map((row, k) => (row[size] as number) / (row[k] as number));
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

const dot = (a: Float64Array, b: ArrayLike<number>): number =>
  a.reduce((total, value, i) => total + value * (b[i] as number), 0);

/** With n − 1. */
function sampleVariance(values: Float64Array): number {
  const mean = sum(values) / values.length;
  return values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1);
}
