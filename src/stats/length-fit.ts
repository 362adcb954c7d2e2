/**
 * The length-controlled win rate of verdicts of any kind (`length`): the mean preference at equal lengths, by a logistic model whose term
 * for the model under test nothing pulls towards a draw.
 *
 *   P(the model is better) = σ( a + b · tanh(Δ / s) )        Δ = characters of the baseline less the model, s = a robust spread of Δ
 *
 * May not know: files, difficulties, gamed baselines; those belong to AlpacaEval's fits (`length-control.ts`).
 *
 * @see docs/decisions/length-control.md, for what else was tried and the coverage by simulation
 */
import { normalQuantile, studentQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";
import { type FirthPoint, fitFirth, profileBounds, type Sample, standardErrorOf } from "./firth-logistic.js";
import { sigmoid } from "./l1-logistic.js";
import type { Lc, LcRows } from "./length-control.js";

/** Of fewer instructions two weights say nothing. */
export const MIN_INSTRUCTIONS = 8;
/** So many instructions, and this share of them, must have outputs of nearly equal length: else the value at equal lengths is extrapolated. */
const MIN_NEAR = 2;
const MIN_NEAR_SHARE = 0.01;
/** Nearly equal: within this part of the spread of lengths. Of two narrow humps of lengths with nothing between neither reaches that far. */
const NEAR = 0.6;
/** Where fewer are near, and less than this share of them, there is a value, and a warning: its bias was up to 5 points in simulations. */
const FEW_NEAR = 8;
const FEW_NEAR_SHARE = 0.25;

interface Judged {
  /** `[N]` each: P(the model is better), Δ, and which instruction. */
  readonly p: Float64Array;
  readonly difference: Float64Array;
  readonly prompts: Int32Array;
}

export function lengthFit(rows: LcRows): Lc {
  const judged = withVerdict(rows);
  const feature = lengthFeature(judged);
  if ("reason" in feature) return { kind: "undefined", reason: feature.reason };
  const sample: Sample = { labels: judged.p, feature: feature.values };
  const top = fitFirth(sample);
  const errors = errorsOf(judged, sample, top);
  const mean = sigmoid(centred(top, sample));
  const winRate = 100 * (feature.values === undefined ? meanOf(judged.p) : mean);
  const interval = intervalOf(judged, sample, top, errors, winRate);
  return {
    kind: "fitted",
    winRate,
    standardError: 100 * mean * (1 - mean) * errors.standardError,
    interval,
    c: undefined,
    chosen: undefined,
    weights: { length: top.b, bias: top.a },
    influence: influenceOf(errors, 100 * mean * (1 - mean)),
    ...(feature.note === undefined ? {} : { note: feature.note }),
  };
}

function withVerdict({ p, lengthDifference, prompts }: LcRows): Judged {
  const kept = Uint32Array.from(p.keys()).filter((i) => !Number.isNaN(p[i]));
  const take = (values: ArrayLike<number>): Float64Array => Float64Array.from(kept, (i) => values[i] as number);
  return { p: take(p), difference: take(lengthDifference), prompts: Int32Array.from(take(prompts)) };
}

/** tanh(Δ / s); undefined where all Δ are 0; what is to be said of it; or why equal lengths cannot be told. */
function lengthFeature({
  p,
  difference,
  prompts,
}: Judged):
  | { readonly values: Float64Array | undefined; readonly note: string | undefined }
  | { readonly reason: string } {
  const instructions = new Set(prompts).size;
  if (instructions === 0) return { reason: "no row has a verdict" };
  if (instructions < MIN_INSTRUCTIONS) {
    return {
      reason: `length control needs verdicts on ${MIN_INSTRUCTIONS} instructions, and there are ${instructions}`,
    };
  }
  const [first = 0] = difference;
  if (difference.every((d) => d === first)) {
    if (first === 0)
      return { values: undefined, note: "all outputs are as long as the baseline's: nothing to control for" };
    return { reason: `all outputs differ from the baseline's by the same ${Math.abs(first)} characters` };
  }
  const scale = spreadOf(difference);
  const near = new Set(prompts.filter((_, i) => Math.abs(difference[i] as number) <= NEAR * scale)).size;
  const needed = Math.max(MIN_NEAR, Math.ceil(MIN_NEAR_SHARE * instructions));
  const found =
    `${near} of ${instructions} instructions have outputs that are nearly as long as the baseline's ` +
    `(to ${Math.ceil(NEAR * scale)} characters)`;
  if (near < needed) {
    return { reason: `${found}, and ${needed} are needed: a value at equal lengths would be extrapolated` };
  }
  const gap = separation({ p, difference });
  if (gap !== undefined && gap.high - gap.low > NEAR * scale) {
    return {
      reason:
        `verdicts go by length alone, and no output is between ${-gap.high} and ${-gap.low} characters longer than the baseline's: where ` +
        "between them verdicts turn, and how sharply, is not in the data",
    };
  }
  const few = near < FEW_NEAR && near < FEW_NEAR_SHARE * instructions;
  return {
    values: difference.map((d) => Math.tanh(d / scale)),
    note: few ? `only ${found}: the value at equal lengths is largely extrapolated from the others` : undefined,
  };
}

/** Where won and lost rows do not overlap in Δ, the interval between them; undefined where they do, or where there are only won or lost ones. */
function separation({
  p,
  difference,
}: Pick<Judged, "p" | "difference">): { readonly low: number; readonly high: number } | undefined {
  const rangeOf = (test: (p: number) => boolean) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    difference.forEach((d, i) => {
      if (!test(p[i] as number)) return;
      low = Math.min(low, d);
      high = Math.max(high, d);
    });
    return { low, high };
  };
  const [won, lost] = [rangeOf((value) => value >= 0.5), rangeOf((value) => value <= 0.5)]; // a draw is of both
  if (won.low > won.high || lost.low > lost.high) return undefined;
  if (won.high < lost.low) return { low: won.high, high: lost.low };
  return lost.high < won.low ? { low: lost.high, high: won.low } : undefined;
}

/**
 * The median absolute deviation as a standard deviation: a few answers that run to the token limit do not stretch it, so that they cannot
 * make all others look equally long. Where it is larger (two humps of lengths) or 0 (more than half of the differences are the same), the
 * standard deviation.
 */
function spreadOf(values: Float64Array): number {
  const middle = median(values);
  const robust = NORMAL_MAD * median(values.map((value) => Math.abs(value - middle)));
  const mean = meanOf(values);
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  return robust > 0 ? Math.min(robust, sd) : sd;
}

/** σ / MAD of the normal distribution, 1 / Φ⁻¹(¾). */
const NORMAL_MAD = 1.4826;

interface Errors {
  /** Of the constant a, dispersion and clusters included. */
  readonly standardError: number;
  /** By how much the variance of a differs from that of independent verdicts of 0 and 1. */
  readonly dispersion: number;
  /** Degrees of freedom of the dispersion; undefined where it is known and not estimated: verdicts of 0 and 1, one an instruction. */
  readonly freedom: number | undefined;
  /** Instructions. */
  readonly clusters: number;
  /** Each instruction's share in the error of a. */
  readonly shares: ReadonlyMap<number, number>;
}

/**
 * The variance of a is Fisher's, times a dispersion of two factors:
 *
 * - rows: 1 − Σ c² y (1 − y) / Σ c² p (1 − p), c = a row's coefficient in a. A preference between 0 and 1 varies less than a verdict with the
 *   same mean, by the mean of y (1 − y). For verdicts of 0 and 1 this is 1 exactly, and nothing is estimated.
 * - instructions: rows of one instruction vary together. The variance of sums over instructions by that of independent rows.
 *
 * Firth's penalty stands for half a won and half a lost row a weight; where all preferences are equal, their variance alone is left.
 */
function errorsOf({ p, prompts }: Judged, sample: Sample, top: FirthPoint): Errors {
  const { feature } = sample;
  const [aa, ab, bb] = top.information;
  const determinant = feature === undefined ? aa : aa * bb - ab * ab;
  const shares = new Map<number, number>();
  let [squares, soft, binary, penalty, penalised] = [0, 0, 0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    const x = feature === undefined ? 0 : (feature[i] as number);
    const y = p[i] as number;
    const fitted = sigmoid(top.a + top.b * x);
    const c = feature === undefined ? 1 / aa : (bb - ab * x) / determinant;
    const w = fitted * (1 - fitted);
    const leverage = feature === undefined ? w / aa : (w * (bb - 2 * ab * x + aa * x * x)) / determinant;
    const share = c * (y - fitted);
    const prompt = prompts[i] as number;
    shares.set(prompt, (shares.get(prompt) ?? 0) + share);
    squares += share * share;
    soft += c * c * y * (1 - y);
    binary += c * c * w;
    penalty += c * c * (leverage / 2) * (fitted ** 2 + (1 - fitted) ** 2);
    penalised += c * c * (1 + leverage) * w;
  }
  const [rows, clusters, weights] = [p.length, shares.size, feature === undefined ? 1 : 2];
  const small = clusters / (clusters - weights) / (rows / (rows - weights));
  const summed = [...shares.values()].reduce((sum, share) => sum + share * share, 0);
  const together = clusters === rows || squares === 0 ? 1 : (summed / squares) * small;
  const dispersion = Math.max((1 - soft / binary) * together, penalty / penalised);
  const standardError = standardErrorOf(top.information, sample) * Math.sqrt(dispersion);
  const known = clusters === rows && soft === 0;
  return { standardError, dispersion, freedom: known ? undefined : clusters - weights, clusters, shares };
}

/**
 * The constant whose σ is unbiased to second order. Firth's a is unbiased itself; its σ is not, because σ is curved: E σ(a) exceeds σ(E a)
 * by σ'' Var(a) / 2, and σ'' / σ' = 1 − 2 σ.
 */
function centred(top: FirthPoint, sample: Sample): number {
  const variance = standardErrorOf(top.information, sample) ** 2;
  return top.a + (sigmoid(top.a) - 0.5) * variance;
}

/** Profile likelihood divided by the dispersion; through σ, so that it lies within 0 and 100. */
function intervalOf({ p }: Judged, sample: Sample, top: FirthPoint, errors: Errors, winRate: number): Estimate {
  const { dispersion, clusters, freedom } = errors;
  const tail = (1 + LEVEL) / 2;
  const quantile = freedom === undefined ? normalQuantile(tail) : studentQuantile(tail, freedom);
  const [low, high] = profileBounds(sample, top, (dispersion * quantile ** 2) / 2);
  return {
    estimate: winRate,
    low: Math.min(winRate, 100 * sigmoid(low)),
    high: Math.max(winRate, 100 * sigmoid(high)),
    n: p.length,
    method: `${percent(LEVEL)} profile likelihood interval of the win rate at equal lengths, clustered by instruction (${clusters} clusters)`,
  };
}

/** In points; their squares, with n / (n − 1), sum to the squared standard error. */
function influenceOf({ shares, standardError, clusters }: Errors, slope: number): ReadonlyMap<number, number> {
  const squares = [...shares.values()].reduce((sum, share) => sum + share * share, 0);
  const whole = (squares * clusters) / (clusters - 1);
  const scale = whole === 0 ? 0 : standardError / Math.sqrt(whole);
  return new Map([...shares].map(([prompt, share]) => [prompt, slope * scale * share]));
}

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
