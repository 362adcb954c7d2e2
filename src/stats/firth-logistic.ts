/**
 * Logistic regression of soft labels on a constant and at most one feature, by Firth's penalised likelihood, with the profile of the
 * constant:
 *
 *   l(a, b) = Σ_i [ y_i z_i − log(1 + exp(z_i)) ] + ½ log |I(a, b)|        z_i = a + b x_i,  0 ≤ y_i ≤ 1,  I = Fisher's information
 *
 * The penalty is Jeffreys' prior. It takes away the first order of the estimates' bias, and keeps them finite where verdicts are all the
 * same or are told apart by the feature without exception, where the likelihood alone has no maximum. Its pull is that of half a
 * row a parameter: unlike a penalty on the size of weights it does not grow with how far the constant is from 0.
 * May not know: what the feature means.
 *
 * @see Firth, Bias reduction of maximum likelihood estimates (1993); Heinze and Schemper, A solution to the problem of separation in
 * logistic regression (2002), for profiles of the penalised likelihood
 */

export interface Sample {
  /** `[N]`, y in [0, 1]. */
  readonly labels: Float64Array;
  /** `[N]`; undefined where there is a constant alone. */
  readonly feature: Float64Array | undefined;
}

/** The penalised likelihood and its derivatives at one point. */
export interface FirthPoint {
  readonly a: number;
  readonly b: number;
  readonly value: number;
  readonly slope: readonly [a: number, b: number];
  /** Fisher's information: Σ w, Σ w x, Σ w x² with w = p (1 − p). */
  readonly information: readonly [aa: number, ab: number, bb: number];
}

const MAX_STEPS = 500;
/** A step that promises less than this of the log-likelihood has nothing left to find in double precision. */
const TOLERANCE = 1e-13;

/** The maximum over a and b. */
export function fitFirth(sample: Sample): FirthPoint {
  return climb(sample, [0, 0], (point) => {
    const [aa, ab, bb] = point.information;
    const [ga, gb] = point.slope;
    if (sample.feature === undefined) return [ga / aa, 0];
    const determinant = aa * bb - ab * ab;
    return [(bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant];
  });
}

/** The maximum over b with the constant held at `a`. */
export function profileFirth(sample: Sample, a: number, b: number): FirthPoint {
  if (sample.feature === undefined) return pointAt(sample, a, 0);
  return climb(sample, [a, b], ({ slope, information }) => [0, slope[1] / information[2]]);
}

/**
 * The values of a on either side of the maximum at which the profile lies `drop` below it.
 */
export function profileBounds(sample: Sample, top: FirthPoint, drop: number): readonly [low: number, high: number] {
  const step = standardErrorOf(top.information, sample) * Math.sqrt(2 * drop);
  return [boundary(sample, top, drop, -step), boundary(sample, top, drop, step)];
}

/** √ of the first diagonal entry of the inverse information. */
export function standardErrorOf([aa, ab, bb]: FirthPoint["information"], { feature }: Sample): number {
  return feature === undefined ? 1 / Math.sqrt(aa) : Math.sqrt(bb / (aa * bb - ab * ab));
}

/** Scoring steps, halved while the likelihood would not rise. */
function climb(
  sample: Sample,
  [a, b]: readonly [number, number],
  stepAt: (point: FirthPoint) => readonly [number, number],
): FirthPoint {
  let point = pointAt(sample, a, b);
  for (let step = 0; step < MAX_STEPS; step++) {
    const [da, db] = stepAt(point);
    const size = Math.abs(da) + Math.abs(db);
    if (!Number.isFinite(size)) return { ...point, value: Number.NEGATIVE_INFINITY }; // the information is singular: Jeffreys' prior is 0
    const [ga, gb] = point.slope;
    if (ga * da + gb * db < TOLERANCE * (1 + Math.abs(point.value))) return point;
    const limit = Math.min(1, MAX_MOVE / size);
    const next = higher(sample, point, limit * da, limit * db);
    if (next === undefined) return point; // it rises no further in double precision
    point = next;
  }
  return point;
}

/** No step moves the weights further than that at once: beyond it the expansion means nothing. */
const MAX_MOVE = 4;

function higher(sample: Sample, from: FirthPoint, da: number, db: number): FirthPoint | undefined {
  for (let t = 1; t > 1e-4; t /= 2) {
    const next = pointAt(sample, from.a + t * da, from.b + t * db);
    if (next.value > from.value) return next;
  }
  return undefined;
}

function pointAt({ labels, feature }: Sample, a: number, b: number): FirthPoint {
  let likelihood = 0;
  let [ga, gb] = [0, 0];
  let [s0, s1, s2] = [0, 0, 0]; // Σ w x^k
  let [t0, t1, t2, t3] = [0, 0, 0, 0]; // Σ w' x^k, w' = dw/dz = w (1 − 2 p)
  for (let i = 0; i < labels.length; i++) {
    const x = feature === undefined ? 0 : (feature[i] as number);
    const y = labels[i] as number;
    const z = a + b * x;
    const e = Math.exp(-Math.abs(z));
    const p = z < 0 ? e / (1 + e) : 1 / (1 + e);
    const w = e / ((1 + e) * (1 + e));
    const dw = w * (1 - 2 * p);
    likelihood += y * z - Math.max(z, 0) - Math.log1p(e);
    const r = y - p;
    const [wx, dwx, dwxx] = [w * x, dw * x, dw * x * x];
    ga += r;
    gb += r * x;
    s0 += w;
    s1 += wx;
    s2 += wx * x;
    t0 += dw;
    t1 += dwx;
    t2 += dwxx;
    t3 += dwxx * x;
  }
  const information = [s0, s1, s2] as const;
  if (feature === undefined) {
    const slope = [ga + t0 / (2 * s0), 0] as const;
    return { a, b, value: likelihood + Math.log(s0) / 2, slope, information };
  }
  const determinant = s0 * s2 - s1 * s1;
  const value = determinant > 0 ? likelihood + Math.log(determinant) / 2 : Number.NEGATIVE_INFINITY;
  const slope = [
    ga + (t0 * s2 + s0 * t2 - 2 * s1 * t1) / (2 * determinant),
    gb + (t1 * s2 + s0 * t3 - 2 * s1 * t2) / (2 * determinant),
  ] as const;
  return { a, b, value, slope, information };
}

/** A probability of σ(−30), 1e-13: a bound that is farther out is at 0 or 1 for every purpose. */
const FARTHEST = 30;

/** Where the profile has fallen by `drop`: outwards from the maximum until it has, then the secant held within the bracket (Illinois). */
function boundary(sample: Sample, top: FirthPoint, drop: number, step: number): number {
  let { b } = top;
  const missing = (a: number): number => {
    const point = profileFirth(sample, a, b);
    if (Number.isFinite(point.value)) b = point.b;
    // the root of the fall is nearly straight in a, which the secant likes
    return Math.sqrt(Math.max(0, top.value - point.value)) - Math.sqrt(drop);
  };
  let [inner, outer] = [top.a, top.a + step];
  let [below, above] = [-Math.sqrt(drop), missing(outer)];
  while (above < 0) {
    if (Math.abs(outer) >= FARTHEST) return Math.sign(outer) * FARTHEST;
    inner = outer;
    below = above;
    outer += step;
    above = missing(outer);
  }
  for (let k = 0; k < 60 && Math.abs(outer - inner) > 1e-6; k++) {
    const share = Number.isFinite(above) ? below / (below - above) : 0.5;
    const middle = inner + share * (outer - inner);
    const value = missing(middle);
    if (Math.abs(value) < 1e-6) return middle;
    if (value < 0) {
      inner = middle;
      below = value;
      above /= 2;
    } else {
      outer = middle;
      above = value;
      below /= 2;
    }
  }
  return (inner + outer) / 2;
}
