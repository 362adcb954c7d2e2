/**
 * Intervals of a mean whose values cannot leave a range: shares, win rates, differences of two win rates. A t interval of few values
 * reaches beyond it, and one of values that are all at an end has no width.
 * May not know: where the values come from.
 */
import { studentQuantile } from "./distributions.js";
import { LEVEL } from "./estimate.js";

export interface Ranged {
  readonly estimate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Independent values. */
  readonly n: number;
  readonly method: string;
}

/**
 * The interval as it is, where it lies inside and has a width. Else Wilson's score interval with the same standard error: all means π whose own
 * standard error, which shrinks towards the ends as √(π(1 − π)) does, reaches the estimate. Of values that are all at an end there is no
 * standard error, and that of as many yes or no answers stands for it.
 *
 *   |p − π| ≤ √(k π(1 − π)),   k = h² / (p(1 − p)), h the half width of the t interval;   k = t² / n at an end
 *
 * @see Wilson (1927); Korn and Graubard (1998), section 3, for an effective number of values from a standard error
 */
export function withinRange<T extends Ranged>(given: T, [least, most]: readonly [number, number], level = LEVEL): T {
  const { estimate, low, high, n } = given;
  if (estimate === null || low === null || high === null) return given;
  const p = (estimate - least) / (most - least);
  const atEnd = p <= 0 || p >= 1;
  if (low >= least && high <= most && !(atEnd && low === high)) return given;
  const half = (high - low) / 2 / (most - least);
  const t = studentQuantile((1 + level) / 2, Math.max(1, n - 1));
  const k = atEnd ? t ** 2 / n : half ** 2 / (p * (1 - p));
  const centre = (p + k / 2) / (1 + k);
  const reach = Math.sqrt(k * p * (1 - p) + k ** 2 / 4) / (1 + k);
  const at = (share: number): number => least + Math.min(1, Math.max(0, share)) * (most - least);
  return {
    ...given,
    low: at(centre - reach),
    high: at(centre + reach),
    method: `${given.method}, as a score interval`,
  };
}

/** Of fewer, Student's t has two degrees of freedom or less, and with them no variance: an interval would be of the distribution's tails. */
export const FEWEST_PAIRS = 4;

/** An interval of paired differences, where there are enough pairs for one. */
export const ofPairs = <T extends Ranged>(given: T, range: readonly [number, number]): T =>
  given.n < FEWEST_PAIRS ? { ...given, low: null, high: null } : withinRange(given, range);
