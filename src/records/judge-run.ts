/**
 * How a run of `tacit judge` came about and what came out: written beside its annotations. It holds no times, so that a run that was
 * killed and resumed leaves the same bytes as one that was not.
 * May not know: how anything is asked.
 */
import { z } from "zod";
import { verdictOutcomeSchema } from "./annotations.js";
import { estimateSchema } from "./estimate.js";
import { judgeSchema, priceSchema } from "./judge-file.js";

const count = z.number().int().nonnegative();
const percentage = z.number();
const file = z.object({ path: z.string(), sha256: z.string(), generator: z.string(), rows: count });

export const judgeRunSchema = z.object({
  version: z.literal(1),
  command: z.literal("judge"),
  tacit: z.string(),
  /** Of judge and both files: runs with equal ones are one run. */
  fingerprint: z.string(),
  judge: z.object({
    name: z.string(),
    hash: z.string(),
    /** As it ran, every default filled in. */
    definition: judgeSchema,
    prompt: z.object({ source: z.string(), sha256: z.string() }).nullable(),
    /** Where the replies came from, sorted. */
    servers: z.array(z.string()),
    /** What a preference is, in words. */
    verdict: z.string(),
  }),
  outputs: file,
  baseline: file,
  pairs: z.object({
    judged: count,
    total: count,
    /** Rows whose instruction the other file does not have. */
    only_outputs: count,
    only_baseline: count,
    /** Pairs beyond `--limit`. */
    beyond_limit: count,
  }),
  /** What became of each pair; the sum is `pairs.total`. */
  outcomes: z.record(verdictOutcomeSchema, count),
  /** Why pairs have no verdict of the judge's. */
  reasons: z.array(z.object({ outcome: verdictOutcomeSchema, reason: z.string(), count })),
  /** Single calls that the pairs need, each once, and what became of them. */
  calls: z.object({ total: count, outcomes: z.partialRecord(verdictOutcomeSchema, count) }),
  /** Pairs with an answer that holds what a chat template takes for a control token. */
  control_tokens: count,
  /** As the server counts them, over all replies; null where it does not say, or says what cannot be. */
  tokens: z.object({ input: count, output: count }).nullable(),
  /** Replies of which that is so. */
  replies_without_tokens: count.optional(),
  price: priceSchema.nullable(),
  dollars: z.number().nonnegative().nullable(),
  /** Null where no pair was judged: pairs with identical outputs alone make no rate. */
  win_rate: percentage.nullable(),
  /** Why it is null. */
  win_rate_undefined: z.string().nullish(),
  standard_error: z.number().nullable(),
  discrete_win_rate: percentage.nullable(),
  /** Had all pairs without a verdict been lost, and had they all been won. */
  bounds: z.object({ low: percentage, high: percentage }).nullable(),
  n_wins: count,
  n_wins_base: count,
  n_draws: count,
  n_total: count,
  /** Mean P(the answer shown first is better). */
  first_preferred: estimateSchema.nullable(),
  both_orders: count,
  flips: count,
  flip_rate: estimateSchema.nullable(),
  /** Why not everything was asked that could have been; null where it was. */
  stopped: z.literal("max-cost").nullable(),
});
export type JudgeRun = z.infer<typeof judgeRunSchema>;

/** What the run itself took, for `--json`; in no file. */
export interface JudgeSpent {
  /** Requests sent by this process, and the replies among them. */
  readonly requests: number;
  readonly replies: number;
  /** Calls whose replies were there already. */
  readonly reused: number;
  readonly seconds: number;
}
