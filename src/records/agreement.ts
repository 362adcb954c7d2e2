/**
 * What `tacit agreement` says with `--json`. Shares from 0 to 1, null where undefined.
 * May not know: how any of it is computed.
 */
import { z } from "zod";
import { estimateSchema } from "./estimate.js";

const count = z.number().int().nonnegative();

/** One judge by itself, on the pairs of its own file. */
export const raterRecordSchema = z.object({
  name: z.string(),
  file: z.string(),
  /** Pairs of outputs; several rows on one pair are votes, of which the mean counts. */
  pairs: count,
  rows: count,
  model_wins: count,
  ties: count,
  baseline_wins: count,
  /** Pairs without a verdict. */
  no_verdict: count,
  /** Of verdicts for one side, how often it was for the longer output. */
  longer_wins: estimateSchema,
  /** Of single calls with a verdict for one side, how often it was for the answer shown first; one half without bias. */
  first_wins: estimateSchema,
  /** Of pairs asked in both orders with two verdicts, how many changed with the order. */
  flip_rate: estimateSchema,
  /** Where the order of single calls is from; null where it is unknown. */
  order_from: z.enum(["calls", "alpaca_eval"]).nullable(),
});
export type RaterRecord = z.infer<typeof raterRecordSchema>;

const agreementFigures = {
  /** Pairs on which both have a verdict. */
  n: count,
  /** The same of model, tie, baseline. */
  agreement: estimateSchema,
  /** The same, where both prefer a side. */
  agreement_without_ties: estimateSchema,
  kappa: estimateSchema,
};

/** Two judges on the pairs that both have seen. */
export const judgePairRecordSchema = z.object({
  a: z.string(),
  b: z.string(),
  /** Pairs in both files, and in only one of them. */
  shared: count,
  only_a: count,
  only_b: count,
  /** Shared pairs on which one of them has no verdict. */
  undecided: count,
  ...agreementFigures,
  /** `[a][b]`, in the order model, tie, baseline. */
  confusion: z.array(z.array(count)),
  /** By how much longer the model's output is than the baseline's, in thirds. */
  by_length: z.array(
    z.object({
      /** Characters of the model's output less the baseline's, both ends included. */
      from: z.number(),
      to: z.number(),
      ...agreementFigures,
      /** How often each prefers the model, ties as halves. */
      model_share_a: z.number(),
      model_share_b: z.number(),
    }),
  ),
});
export type JudgePairRecord = z.infer<typeof judgePairRecordSchema>;

export const agreementSummarySchema = z.object({
  version: z.literal(1),
  command: z.literal("agreement"),
  raters: z.array(raterRecordSchema),
  pairs: z.array(judgePairRecordSchema),
  seconds: z.number().nonnegative(),
  tacit: z.string(),
});
export type AgreementSummary = z.infer<typeof agreementSummarySchema>;
