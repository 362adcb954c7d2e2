/**
 * What every estimator returns: the estimate, its interval, the number of observations and the method in words.
 * Undefined is `undefined`: never 0, never NaN.
 * May not know: files, models.
 */
import type { EstimateRecord } from "../records/estimate.js";

export interface Estimate {
  /** Undefined where there is no observation. */
  readonly estimate: number | undefined;
  /** Undefined where there are too few observations (fewer than two, or two clusters). */
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly n: number;
  readonly method: string;
}

/** Coverage of every interval unless an estimator is told otherwise. */
export const LEVEL = 0.95;

/** `0.95` as `95 %`. */
export const percent = (level: number): string => `${Number((100 * level).toFixed(6))} %`;

export function toEstimateRecord(value: Estimate): EstimateRecord {
  return {
    estimate: value.estimate ?? null,
    low: value.low ?? null,
    high: value.high ?? null,
    n: value.n,
    method: value.method,
  };
}

/** `78.4 % [75.1, 81.5]`, for a share; `-` where it is undefined. */
export function formatShare(value: Pick<EstimateRecord, "estimate" | "low" | "high">): string {
  const show = (share: number): string => (100 * share).toFixed(1);
  if (value.estimate === null) return "-";
  if (value.low === null || value.high === null) return `${show(value.estimate)} %`;
  return `${show(value.estimate)} % [${show(value.low)}, ${show(value.high)}]`;
}
