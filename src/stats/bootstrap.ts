/**
 * Percentile bootstrap over whole clusters, seeded: the slow comparison for closed forms.
 * May not know: files, models.
 */
import { randomStream } from "../util/random.js";
import type { Cluster } from "./cluster.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";

export interface BootstrapOptions {
  readonly seed: number;
  /** Resamples; default 2000. */
  readonly draws?: number;
  readonly level?: number;
}

/**
 * Mean over all observations; the interval is between the quantiles of the means of samples of clusters drawn with replacement.
 * Undefined below two clusters. Equal arguments give equal bytes.
 *
 * @see Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13
 */
export function bootstrapClusteredMean(clusters: readonly Cluster[], options: BootstrapOptions): Estimate {
  const { seed, draws = 2000, level = LEVEL } = options;
  const sums = clusters
    .filter((cluster) => cluster.length > 0)
    .map((cluster) => ({ n: cluster.length, total: cluster.reduce((sum, y) => sum + y, 0) }));
  const n = sums.reduce((count, cluster) => count + cluster.n, 0);
  const estimate = n === 0 ? undefined : sums.reduce((sum, cluster) => sum + cluster.total, 0) / n;
  const method = `${percent(level)} percentile bootstrap over ${sums.length} clusters, ${draws} draws, seed ${seed}`;
  if (sums.length < 2) return { estimate, low: undefined, high: undefined, n, method };
  const random = randomStream(seed, "stats: bootstrap over clusters");
  const means = Float64Array.from({ length: draws }, () => {
    let count = 0;
    let sum = 0;
    for (let i = 0; i < sums.length; i++) {
      const cluster = sums[random.integer(sums.length)];
      count += cluster?.n ?? 0;
      sum += cluster?.total ?? 0;
    }
    return sum / count;
  }).sort();
  return { estimate, low: quantile(means, (1 - level) / 2), high: quantile(means, (1 + level) / 2), n, method };
}

/** Linear between order statistics (type 7 of Hyndman and Fan). */
export function quantile(sorted: Float64Array, p: number): number {
  const at = (sorted.length - 1) * p;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (at - Math.floor(at)) * (high - low);
}
