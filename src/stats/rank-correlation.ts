/**
 * Spearman's rank correlation: do two quantities rise together, whatever the shape?
 * May not know: what is measured.
 */
import { invariant } from "../util/errors.js";
import { normalQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";

/**
 * Undefined for fewer than two points, or where one side does not vary; the interval for fewer than four.
 *
 * @see Bonett and Wright, Sample size requirements for estimating Pearson, Kendall and Spearman correlations (2000), eq. 3
 */
export function rankCorrelation(x: readonly number[], y: readonly number[], level: number = LEVEL): Estimate {
  invariant(x.length === y.length, `${x.length} values with ${y.length}`);
  const n = x.length;
  const method = `${percent(level)} Fisher interval of Spearman's rank correlation`;
  const nothing = { estimate: undefined, low: undefined, high: undefined, n, method };
  const [a, b] = [ranks(x), ranks(y)];
  const middle = (n + 1) / 2;
  const product = (p: readonly number[], q: readonly number[]): number =>
    p.reduce((sum, value, i) => sum + (value - middle) * ((q[i] ?? 0) - middle), 0);
  const spread = Math.sqrt(product(a, a) * product(b, b));
  if (n < 2 || spread === 0) return nothing;
  const rho = Math.max(-1, Math.min(1, product(a, b) / spread));
  if (n < 4) return { ...nothing, estimate: rho };
  const half = normalQuantile((1 + level) / 2) * Math.sqrt((1 + rho ** 2 / 2) / (n - 3));
  const z = Math.atanh(rho); // of ±1 infinite, and so are the bounds: tanh brings both back
  return { ...nothing, estimate: rho, low: Math.tanh(z - half), high: Math.tanh(z + half) };
}

/** From 1; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let i = start; i < end; i++) result[order[i] ?? 0] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}
