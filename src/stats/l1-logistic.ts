/**
 * Logistic regression with an L1 penalty, without intercept, with weights and soft labels, solved to its optimum:
 *
 *   minimise over w   f(w) = C · Σ_i s_i · [ log(1 + exp(z_i)) − y_i z_i ]  +  Σ_j |w_j|        z_i = x_i · w,  0 ≤ y_i ≤ 1
 *
 * This is liblinear's "L1-regularized logistic regression" in which each row stands twice, as a 1 with weight s_i y_i and as a 0
 * with weight s_i (1 − y_i). liblinear stops at a tolerance; here f is convex, its optimum is what is wanted, and the conditions
 * that make a point the optimum (`optimalityGap`) are what ends the search.
 *
 * The method is proximal Newton: replace the loss by its second-order expansion at w, minimise that plus the penalty by coordinate
 * descent, step there, or part of the way while f would not fall enough. Near the optimum every step squares the error.
 * May not know: what the features mean.
 *
 * @see Fan, Chang, Hsieh, Wang and Lin, LIBLINEAR (2008); Yuan, Ho and Lin, An improved GLMNET for L1-regularized logistic regression (2012)
 */
import { invariant } from "../util/errors.js";

/** N rows of D features, by column. */
export interface Rows {
  /** D columns of N values. */
  readonly columns: readonly Float64Array[];
  /** `[N]`, y in [0, 1]: the probability that the row is a 1. */
  readonly labels: Float64Array;
  /** `[N]`, s ≥ 0. */
  readonly weights: Float64Array;
}

/** f at one point, and the second-order expansion of its smooth part there. */
interface Point {
  readonly w: readonly number[];
  /** f(w). */
  readonly value: number;
  /** Of C times the loss, `[D]`. */
  readonly gradient: readonly number[];
  /** `[D][D]` */
  readonly hessian: readonly (readonly number[])[];
}

/** Violations of the optimality conditions below this share of the largest possible gradient are rounding. */
const TOLERANCE = 1e-12;
/** A point with smaller violations is the optimum; where steps end before it, it is not known. */
const REACHED = 1e-6;
const MAX_STEPS = 200;
/** Steps without a smaller violation after which only rounding is left. Far from the optimum a few are usual. */
const PATIENCE = 20;
/** The least share of the promised decrease that a step must keep (Armijo). */
const KEPT = 1e-4;

/**
 * The optimum.
 *
 * @param start  where to begin, `[D]`; it changes the time and not the result
 * @returns w, `[D]`; undefined where features that are nearly the same leave it undetermined in double precision
 */
export function fitL1Logistic(rows: Rows, c: number, start?: readonly number[]): readonly number[] | undefined {
  const look = (w: readonly number[]): Point => pointAt(rows, c, w, room);
  const room = roomFor(rows);
  invariant(c > 0 && Number.isFinite(c), `a penalty strength of ${c}`);
  const scales = rows.columns.map((values) => 1 + c * absoluteSum(values, rows.weights));
  let point: Point | undefined = look(start ?? rows.columns.map(() => 0));
  let best = { w: point.w, gap: Number.POSITIVE_INFINITY, step: 0 };
  for (let step = 0; step < MAX_STEPS && point !== undefined; step++) {
    const gap = largestGap(point.gradient, point.w, scales);
    if (gap < best.gap) best = { w: point.w, gap, step };
    if (gap <= TOLERANCE || step - best.step > PATIENCE) break;
    point = lineSearch(look, point, minimiseExpansion(point)); // undefined: f falls no further in double precision
  }
  return best.gap < REACHED ? best.w : undefined;
}

/**
 * How far w is from the optimum, 0 at it: the largest violation over features of the Karush-Kuhn-Tucker conditions
 *
 *   ∂_j = −sign(w_j) where w_j ≠ 0,   |∂_j| ≤ 1 where w_j = 0        ∂ = gradient of the loss times C
 *
 * each as a share of 1 + C Σ_i s_i |x_ij|, the largest gradient that its feature can have.
 */
export function optimalityGap(rows: Rows, c: number, w: readonly number[]): number {
  const scales = rows.columns.map((values) => 1 + c * absoluteSum(values, rows.weights));
  return largestGap(pointAt(rows, c, w, roomFor(rows)).gradient, w, scales);
}

/** f(w). */
export const objective = (rows: Rows, c: number, w: readonly number[]): number =>
  pointAt(rows, c, w, roomFor(rows)).value;

/** P(row i is a 1), σ(x_i · w). */
export function predict(columns: readonly Float64Array[], w: readonly number[]): Float64Array {
  return linear(columns, w, new Float64Array(columns[0]?.length ?? 0)).map(sigmoid);
}

/** Without overflow. */
export const sigmoid = (z: number): number => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));

function largestGap(gradient: readonly number[], w: readonly number[], scales: readonly number[]): number {
  return gradient.reduce((largest, slope, j) => {
    const wj = at(w, j);
    const gap = wj === 0 ? Math.max(0, Math.abs(slope) - 1) : Math.abs(slope + Math.sign(wj));
    return Math.max(largest, gap / at(scales, j));
  }, 0);
}

/** `[N]` each, filled again at every point: a fit looks at several, and cross-validation fits fifty times. */
interface Room {
  /** z */
  readonly scores: Float64Array;
  /** s (p − y) */
  readonly residuals: Float64Array;
  /** s p (1 − p) */
  readonly curvatures: Float64Array;
}

function roomFor({ labels: { length } }: Rows): Room {
  return {
    scores: new Float64Array(length),
    residuals: new Float64Array(length),
    curvatures: new Float64Array(length),
  };
}

/** One pass over the rows: loss, gradient and Hessian share their exponentials. */
function pointAt({ columns, labels, weights }: Rows, c: number, w: readonly number[], room: Room): Point {
  const d = columns.length;
  const { scores, residuals, curvatures } = room;
  linear(columns, w, scores);
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const z = scores[i] as number;
    const e = Math.exp(-Math.abs(z));
    const p = z < 0 ? e / (1 + e) : 1 / (1 + e);
    const s = weights[i] as number;
    const y = labels[i] as number;
    loss += s * (Math.max(z, 0) + Math.log1p(e) - y * z); // log(1 + exp(z)) without overflow
    residuals[i] = s * (p - y);
    curvatures[i] = s * p * (1 - p);
  }
  const hessian = columns.map(() => new Array<number>(d).fill(0));
  for (let j = 0; j < d; j++) {
    for (let k = 0; k <= j; k++) {
      const entry = c * product(curvatures, column(columns, j), column(columns, k));
      (hessian[j] as number[])[k] = entry;
      (hessian[k] as number[])[j] = entry;
    }
  }
  const gradient = columns.map((values) => c * product(residuals, values));
  return { w, value: c * loss + l1(w), gradient, hessian };
}

/**
 * The u that minimises ∂ · (u − w) + ½ (u − w)ᵀ H (u − w) + Σ|u_j|, one coordinate at a time: each has the closed form of a soft
 * threshold.
 */
function minimiseExpansion({ w, gradient, hessian }: Point): number[] {
  const u = [...w];
  const slopes = [...gradient]; // of the quadratic at u
  for (let sweep = 0; sweep < 10_000; sweep++) {
    let moved = 0;
    for (let j = 0; j < u.length; j++) {
      const curvature = hessian[j]?.[j] ?? 0;
      if (curvature <= 0) continue; // a feature that is 0 in every row: its weight stays
      const before = at(u, j);
      const after = softThreshold(before - at(slopes, j) / curvature, 1 / curvature);
      if (after === before) continue;
      u[j] = after;
      for (let k = 0; k < u.length; k++) slopes[k] = at(slopes, k) + (hessian[k]?.[j] ?? 0) * (after - before);
      moved = Math.max(moved, Math.abs(after - before) / (1 + Math.abs(after)));
    }
    if (moved < 1e-15) break;
  }
  return u;
}

/** The farthest of w + t (u − w), t = 1, ½, ¼ …, at which f has fallen enough; undefined where there is none. */
function lineSearch(look: (w: readonly number[]) => Point, from: Point, u: readonly number[]): Point | undefined {
  const { w, gradient, value } = from;
  const slope = gradient.reduce((sum, g, j) => sum + g * (at(u, j) - at(w, j)), 0);
  const promised = slope + l1(u) - l1(w); // negative unless w is the optimum of the expansion
  const rounding = 1e-14 * Math.abs(value); // changes of f below it cannot be told from none; the conditions still can
  if (!(promised < rounding)) return undefined;
  for (let t = 1; t > 1e-12; t /= 2) {
    const candidate = look(t === 1 ? u : w.map((wj, j) => wj + t * (at(u, j) - wj)));
    if (candidate.value <= value + KEPT * t * promised + rounding) return candidate;
  }
  return undefined;
}

/** x_i · w for every row, into `scores`. */
function linear(columns: readonly Float64Array[], w: readonly number[], scores: Float64Array): Float64Array {
  scores.fill(0);
  columns.forEach((values, j) => {
    const wj = at(w, j);
    if (wj !== 0)
      for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] as number) + wj * (values[i] as number);
  });
  return scores;
}

function absoluteSum(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (weights[i] as number) * Math.abs(values[i] as number);
  return sum;
}

/** Σ_i a_i x_i, or Σ_i a_i x_i y_i. */
function product(a: Float64Array, x: Float64Array, y?: Float64Array): number {
  let sum = 0;
  if (y === undefined) for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (x[i] as number);
  else for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (x[i] as number) * (y[i] as number);
  return sum;
}

const softThreshold = (x: number, by: number): number => Math.sign(x) * Math.max(0, Math.abs(x) - by);

const l1 = (w: readonly number[]): number => w.reduce((sum, wj) => sum + Math.abs(wj), 0);

/** Entries that are there: loops run over lengths. Loops over rows index their column themselves, which is faster for one kind of array. */
const at = (values: ArrayLike<number>, i: number): number => values[i] as number;
const column = (columns: readonly Float64Array[], j: number): Float64Array => columns[j] as Float64Array;
