/** An estimate with its interval as it lies on disk: null where it is undefined (no observation, or too few for an interval). */
import { z } from "zod";

const value = z.number().nullable();

export const estimateSchema = z.object({
  estimate: value,
  low: value,
  high: value,
  /** Observations. */
  n: z.number().int().nonnegative(),
  /** How the interval was made, in words. */
  method: z.string(),
});
export type EstimateRecord = z.infer<typeof estimateSchema>;
