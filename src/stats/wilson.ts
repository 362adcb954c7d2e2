/**
 * Wilson's score interval for a share of independent trials.
 * May not know: files, models.
 */
import { invariant } from "../util/errors.js";
import { normalQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";

/**
 * `successes` of `n` independent trials. Undefined where n < 2, as everywhere here, although the formula has a value for n = 1.
 *
 * @see Wilson (1927); Brown, Cai and DasGupta (2001), section 3.1.1, for its coverage
 */
export function wilson(successes: number, n: number, level: number = LEVEL): Estimate {
  invariant(Number.isInteger(n) && n >= 0 && successes >= 0 && successes <= n, `${successes} successes of ${n}`);
  const method = `${percent(level)} Wilson interval`;
  if (n === 0) return { estimate: undefined, low: undefined, high: undefined, n, method };
  const share = successes / n;
  if (n < 2) return { estimate: share, low: undefined, high: undefined, n, method };
  return { estimate: share, ...wilsonBounds(share, n, level), n, method };
}

/** The shares q with (share - q)² = z² q (1 - q) / n. */
export function wilsonBounds(share: number, n: number, level: number): { low: number; high: number } {
  const z2 = normalQuantile((1 + level) / 2) ** 2;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Math.sqrt(z2) / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return { low: share === 0 ? 0 : Math.max(0, centre - half), high: share === 1 ? 1 : Math.min(1, centre + half) };
}
