/**
 * Quantiles of the normal and of Student's t distribution, found by bisection of their distribution functions: slow to the
 * eye of an analyst, a microsecond here, and right to about 1e-12.
 * May not know: anything but numbers.
 */
import { invariant } from "../util/errors.js";

/** z with P(Z ≤ z) = p. */
export function normalQuantile(p: number): number {
  return bisect(normalCdf, p);
}

/** t with P(T ≤ t) = p for `df` > 0 degrees of freedom. */
export function studentQuantile(p: number, df: number): number {
  return bisect((t) => studentCdf(t, df), p);
}

/** P(Z ≤ z) = Q(1/2, z²/2) / 2 on the left, and its complement on the right. */
export function normalCdf(z: number): number {
  const tail = upperGammaHalf((z * z) / 2) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** P(T ≤ t) by the regularised incomplete beta function (DLMF 8.17). */
export function studentCdf(t: number, df: number): number {
  invariant(df > 0, `${df} degrees of freedom`);
  const square = t * t;
  // near 0 the first argument of the usual form rounds to 1, so its complement is taken there
  const tail =
    square > df
      ? incompleteBeta(df / (df + square), df / 2, 0.5) / 2
      : (1 - incompleteBeta(square / (df + square), 0.5, df / 2)) / 2;
  return t < 0 ? tail : 1 - tail;
}

/** The x where an increasing `cdf` reaches p; p and 1 - p are mirrored, so that no digits are lost in the right tail. */
function bisect(cdf: (x: number) => number, p: number): number {
  invariant(p > 0 && p < 1, `a quantile of ${p}`);
  if (p > 0.5) return -bisect(cdf, 1 - p);
  if (p === 0.5) return 0;
  let low = -1;
  while (cdf(low) > p) low *= 2;
  let high = 0;
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** Q(1/2, x) = erfc(√x): by its series for small x, by its continued fraction (DLMF 8.9.2, Lentz) for large. */
function upperGammaHalf(x: number): number {
  if (x === 0) return 1;
  const front = Math.exp(-x) * Math.sqrt(x / Math.PI);
  if (x < 2) {
    let term = 2;
    let sum = 2;
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= x / (k + 0.5);
      sum += term;
    }
    return 1 - front * sum;
  }
  return front * lentz((k) => (k === 0 ? { a: 1, b: x + 0.5 } : { a: -k * (k - 0.5), b: x + 0.5 + 2 * k }));
}

/** I_x(a, b), DLMF 8.17.22. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
  const fraction = lentz((k) => {
    const m = Math.floor(k / 2);
    if (k === 0) return { a: 1, b: 1 };
    if (k % 2 === 0) return { a: (m * (b - m) * x) / ((a + k - 1) * (a + k)), b: 1 };
    return { a: (-(a + m) * (a + b + m) * x) / ((a + k - 1) * (a + k)), b: 1 };
  });
  return front * fraction;
}

/** a₀/(b₀ + a₁/(b₁ + …)) by Lentz's method. */
function lentz(term: (k: number) => { a: number; b: number }): number {
  const tiny = 1e-300;
  let value = tiny;
  let c = tiny;
  let d = 0;
  for (let k = 0; k < 10_000; k++) {
    const { a, b } = term(k);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** ln Γ(x), x > 0: Stirling's series after shifting x above 12 (DLMF 5.11.1). */
export function logGamma(x: number): number {
  let shift = 0;
  let y = x;
  for (; y < 12; y++) shift += Math.log(y);
  const r = 1 / (y * y);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360360))))) / y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
