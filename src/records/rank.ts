/**
 * What ranking leaves on disk: `scores.jsonl` (a ledger of what was computed), `pairs.jsonl` (one line per comparison, made from
 * the ledger) and `summary.json`.
 */
import { z } from "zod";
import { estimateSchema } from "./estimate.js";
import { recordedModelSchema } from "./model.js";

const count = z.number().int().nonnegative();

/** Log-likelihood of one response given one prompt, in nats. */
export const likelihoodSchema = z.object({ sum: z.number(), mean: z.number(), tokens: count });
export type Likelihood = z.infer<typeof likelihoodSchema>;

/** Why a response has no usable log-likelihood under a prompt. */
export const unscoredReasonSchema = z.enum(["empty-response", "too-long", "not-finite"]);
export type UnscoredReason = z.infer<typeof unscoredReasonSchema>;

/** One line of the ledger. `key` is the hash of the model, the prompt's ids and the response's ids. */
export const scoreLineSchema = z.union([
  likelihoodSchema.extend({ key: z.string() }),
  z.object({ key: z.string(), unscored: unscoredReasonSchema }),
]);
export type ScoreLine = z.infer<typeof scoreLineSchema>;

/** The right response against the rival: more likely, equally likely, less likely. */
export const verdictSchema = z.enum(["greater", "tie", "less"]);
export type Verdict = z.infer<typeof verdictSchema>;

const pairBase = z.object({
  /** The example whose instruction is the prompt. */
  id: z.string(),
  /** The example whose response is the rival. */
  rival_id: z.string(),
  /** Their places in the data, from 0: ids need not differ. */
  index: count,
  rival_index: count,
  /** Which draw for this instruction, from 0. */
  draw: count,
});

export const rankPairSchema = z.discriminatedUnion("outcome", [
  /** Both readings of one comparison. */
  pairBase.extend({
    outcome: z.literal("compared"),
    right: likelihoodSchema,
    rival: likelihoodSchema,
    sum: verdictSchema,
    mean: verdictSchema,
  }),
  /** The draw hit the example itself. */
  pairBase.extend({ outcome: z.literal("self-draw"), right: likelihoodSchema }),
  /** No comparison: `which` response has no usable log-likelihood, and why. */
  pairBase.extend({ outcome: z.literal("unscored"), which: z.enum(["right", "rival"]), reason: unscoredReasonSchema }),
]);
export type RankPair = z.infer<typeof rankPairSchema>;

/** One reading in total. greater + less + ties + self_draws + unscored = pairs. */
export const rankReadingSchema = z.object({
  greater: count,
  less: count,
  ties: count,
  /** Share of pairs in which the right response is more likely; ties and self-draws count as not (as in the reference code). */
  rate: estimateSchema,
  /** The same without self-draws: pairs of two different examples only (the paper's independent draw). */
  rate_without_self_draws: estimateSchema,
});
export type RankReading = z.infer<typeof rankReadingSchema>;

export const rankTotalsSchema = z.object({
  instructions: count,
  pairs: count,
  self_draws: count,
  unscored: count,
  unscored_reasons: z.partialRecord(unscoredReasonSchema, count),
  /** Reading `paper`: total log-likelihood (eq. 3). */
  sum: rankReadingSchema,
  /** Reading `reference`: mean log-likelihood per token. */
  mean: rankReadingSchema,
});
export type RankTotals = z.infer<typeof rankTotalsSchema>;

export const rankSummarySchema = rankTotalsSchema.extend({
  version: z.literal(1),
  engine: z.string(),
  model: recordedModelSchema,
  data: z.object({ spec: z.string(), hash: z.string(), examples: count, multi_turn: count }),
  options: z.object({
    against: count,
    limit: count,
    seed: z.number().int(),
    max_length: count,
    threads: count.nullable(),
    /** Of the weights; files of before it could be chosen do not say. */
    precision: z.string().default("f32"),
    template: z.string(),
    bos: z.string(),
  }),
  /** Responses scored in this run, and taken from the ledger of an earlier one. */
  scored: count,
  reused: count,
  /** Pairs of prompt and response whose border the tokenizer would have joined. */
  merged: count,
  seconds: z.number().nonnegative(),
  tacit: z.string(),
});
export type RankSummary = z.infer<typeof rankSummarySchema>;
