/**
 * Means of observations that come in clusters (several rivals of one instruction): observations of one cluster are not
 * independent, clusters are.
 * May not know: files, models.
 */
import { invariant } from "../util/errors.js";
import { studentQuantile } from "./distributions.js";
import { type Estimate, LEVEL, percent } from "./estimate.js";
import { wilsonBounds } from "./wilson.js";

/** The observations of one cluster. Empty clusters are allowed and do not count. */
export type Cluster = readonly number[];

interface Sums {
  /** Observations N. */
  readonly n: number;
  /** Clusters G that hold any. */
  readonly clusters: number;
  readonly mean: number;
  /** Cluster-robust variance of the mean; undefined for fewer than two clusters. */
  readonly variance: number | undefined;
}

/**
 * Mean over all observations with the cluster-robust interval: variance G/(G-1) · Σ_g (Σ_i (y_gi - ȳ))² / N², Student's t with
 * G-1 degrees of freedom. With clusters of one observation each this is the ordinary t interval; with clusters of equal size
 * it is that of the cluster means.
 *
 * @see Cameron and Miller, A Practitioner's Guide to Cluster-Robust Inference (2015), section II
 */
export function clusteredMean(clusters: readonly Cluster[], level: number = LEVEL): Estimate {
  const sums = sumClusters(clusters);
  const method = `${percent(level)} t interval, clustered (${sums?.clusters ?? 0} clusters)`;
  if (sums === undefined) return { estimate: undefined, low: undefined, high: undefined, n: 0, method };
  return { estimate: sums.mean, ...tBounds(sums, level), n: sums.n, method };
}

/**
 * `clusteredMean` of a column of observations, NaN where there is none, in memory of eight bytes a cluster.
 *
 * @param clusters  `[N]`, which cluster each observation belongs to, counted from 0
 */
export function clusteredColumnMean(values: Float64Array, clusters: Int32Array, level: number = LEVEL): Estimate {
  let all = 0;
  let n = 0;
  let size = 0;
  for (let i = 0; i < values.length; i++) {
    size = Math.max(size, (clusters[i] as number) + 1);
    if (Number.isNaN(values[i])) continue;
    all += values[i] as number;
    n++;
  }
  const deviations = new Float64Array(size).fill(Number.NaN); // NaN: a cluster without observations
  for (let i = 0; i < values.length; i++) {
    const cluster = clusters[i] as number;
    const before = deviations[cluster] as number;
    if (!Number.isNaN(values[i]))
      deviations[cluster] = (Number.isNaN(before) ? 0 : before) + (values[i] as number) - all / n;
  }
  const filled = deviations.filter((value) => !Number.isNaN(value));
  const g = filled.length;
  const method = `${percent(level)} t interval, clustered (${g} clusters)`;
  if (n === 0) return { estimate: undefined, low: undefined, high: undefined, n, method };
  const squares = filled.reduce((sum, value) => sum + value * value, 0);
  const variance = g < 2 ? undefined : (g / (g - 1)) * (squares / (n * n));
  return { estimate: all / n, ...tBounds({ n, clusters: g, mean: all / n, variance }, level), n, method };
}

/**
 * `clusteredColumnMean` of observations that lie in [0, 1], its interval held within. Where clusters do not differ at all that interval
 * has no width whatever their number; there it is Wilson's with each cluster counted once.
 */
export function clusteredColumnProbability(
  values: Float64Array,
  clusters: Int32Array,
  level: number = LEVEL,
): Estimate {
  const free = clusteredColumnMean(values, clusters, level);
  const { estimate, low, high } = free;
  if (estimate === undefined || low === undefined || high === undefined) return free;
  if (high - low > 1e-12) return { ...free, low: Math.max(0, low), high: Math.min(1, high) };
  const g = new Set(clusters.filter((_, i) => !Number.isNaN(values[i]))).size;
  const mean = Math.min(1, Math.max(0, estimate));
  const method = `${percent(level)} Wilson interval over ${g} clusters that do not differ`;
  return { estimate, ...wilsonBounds(mean, g, level), n: free.n, method };
}

/** `clusteredMean` of observations that lie in [0, 1], its interval held within. */
export function clusteredProbability(clusters: readonly Cluster[], level: number = LEVEL): Estimate {
  const free = clusteredMean(clusters, level);
  if (free.low === undefined || free.high === undefined) return free;
  return { ...free, low: Math.max(0, free.low), high: Math.min(1, free.high) };
}

/**
 * A share (observations 0 or 1) with the interval of `clusteredMean` held within [0, 1]. Where every cluster has the same share
 * that interval has no width whatever the number of clusters; there it is Wilson's with each cluster counted once.
 */
export function clusteredShare(clusters: readonly Cluster[], level: number = LEVEL): Estimate {
  invariant(
    clusters.every((cluster) => cluster.every((y) => y === 0 || y === 1)),
    "a share of values other than 0 and 1",
  );
  const sums = sumClusters(clusters);
  if (sums?.variance === 0) {
    const method = `${percent(level)} Wilson interval over ${sums.clusters} clusters that do not differ`;
    return { estimate: sums.mean, ...wilsonBounds(sums.mean, sums.clusters, level), n: sums.n, method };
  }
  return clusteredProbability(clusters, level);
}

function sumClusters(clusters: readonly Cluster[]): Sums | undefined {
  const filled = clusters.filter((cluster) => cluster.length > 0);
  const n = filled.reduce((count, cluster) => count + cluster.length, 0);
  if (n === 0) return undefined;
  const all = filled.reduce((sum, cluster) => sum + total(cluster), 0);
  const mean = all / n;
  // times n over n: exactly 0 for counts whose shares do not differ, 1/3 included
  const deviation = (cluster: Cluster): number => (total(cluster) * n - cluster.length * all) / n;
  const squares = filled.reduce((sum, cluster) => sum + deviation(cluster) ** 2, 0);
  const g = filled.length;
  return { n, clusters: g, mean, variance: g < 2 ? undefined : (g / (g - 1)) * (squares / (n * n)) };
}

function tBounds(sums: Sums, level: number): { low: number | undefined; high: number | undefined } {
  if (sums.variance === undefined) return { low: undefined, high: undefined };
  const half = studentQuantile((1 + level) / 2, sums.clusters - 1) * Math.sqrt(sums.variance);
  return { low: sums.mean - half, high: sums.mean + half };
}

const total = (cluster: Cluster): number => cluster.reduce((sum, y) => sum + y, 0);
