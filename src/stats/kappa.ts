/**
 * Agreement of two raters beyond chance.
 * May not know: what is being rated.
 */
import { normalQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";

/** How often the first rater said i and the second j: square, `[K][K]`. */
export type Confusion = readonly (readonly number[])[];

/**
 * Cohen's κ = (p_o − p_e) / (1 − p_e), p_o the share of agreement and p_e what two raters with these margins would agree by chance.
 * Undefined where chance alone explains everything (both always say the same one thing).
 *
 * @see Cohen (1960); Fleiss, Cohen and Everitt (1969), eq. 13, for the large-sample standard error
 */
export function cohensKappa(confusion: Confusion, level: number = LEVEL): Estimate {
  const method = `${percent(level)} large-sample interval of Cohen's kappa`;
  const n = confusion.flat().reduce((sum, count) => sum + count, 0);
  const undefinedKappa = { estimate: undefined, low: undefined, high: undefined, n, method };
  if (n === 0) return undefinedKappa;
  const share = (i: number, j: number): number => (confusion[i]?.[j] ?? 0) / n;
  const indices = confusion.map((_, i) => i);
  const total = (term: (i: number) => number): number => indices.reduce((sum, i) => sum + term(i), 0);
  const first = indices.map((i) => total((j) => share(i, j)));
  const second = indices.map((j) => total((i) => share(i, j)));
  const observed = total((i) => share(i, i));
  const chance = total((i) => (first[i] as number) * (second[i] as number));
  if (chance >= 1 - 1e-12) return undefinedKappa;
  const kappa = (observed - chance) / (1 - chance);
  if (n < 2) return { ...undefinedKappa, estimate: kappa };
  const margin = (i: number, j: number): number => (first[i] as number) + (second[j] as number);
  const diagonal = total((i) => share(i, i) * (1 - margin(i, i) * (1 - kappa)) ** 2);
  const rest = (1 - kappa) ** 2 * total((i) => total((j) => (i === j ? 0 : share(i, j) * margin(j, i) ** 2)));
  const variance = (diagonal + rest - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2);
  const half = normalQuantile((1 + level) / 2) * Math.sqrt(Math.max(0, variance));
  return { ...undefinedKappa, estimate: kappa, low: Math.max(-1, kappa - half), high: Math.min(1, kappa + half) };
}
