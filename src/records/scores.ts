/**
 * What scoring reads and writes: pairs of prompt and response, and the log-probabilities of each response.
 * May not know: how they are computed.
 */
import { z } from "zod";
import { recordedModelSchema } from "./model.js";

const count = z.number().int().nonnegative();
const ids = z.array(count);
const id = z.union([z.string(), z.number()]).transform(String).optional();

/** One row to score: texts, which a template turns into ids, or ids. */
export const scoreInputSchema = z.union([
  z.object({ id, prompt_ids: ids, response_ids: ids }),
  z.object({ id, instruction: z.string(), response: z.string() }),
]);
export type ScoreInput = z.input<typeof scoreInputSchema>;

/** One line of the results. Natural logarithms. */
export const scoreOutputSchema = z.object({
  id: z.string(),
  /** Of each response id given everything before it; EOS last unless it was left out. */
  logprobs: z.array(z.number()).min(1),
  sum: z.number(),
  /** `sum / tokens`. */
  mean: z.number(),
  tokens: count.positive(),
});
export type ScoreOutput = z.infer<typeof scoreOutputSchema>;

/** One line of the ledger of a run that is not finished. `key` is the hash of everything that decides the values. */
export const logprobsLineSchema = z.object({ key: z.string(), logprobs: z.array(z.number()).min(1) });
export type LogprobsLine = z.infer<typeof logprobsLineSchema>;

/** How a run of `score` came about: written beside its results. */
export const scoreRunSchema = z.object({
  version: z.literal(1),
  command: z.literal("score"),
  tacit: z.string(),
  engine: z.string(),
  model: recordedModelSchema,
  /** sha256 over the ids of prompts and responses in their order. */
  input: z.object({ source: z.string(), rows: count, hash: z.string() }),
  /** The format of rows given as texts. */
  template: z.string(),
  bos: z.enum(["auto", "always", "never"]),
  eos: z.boolean(),
  options: z.object({ precision: z.string(), threads: count.nullable(), limit: count.nullable() }),
  outcome: z.object({
    tokens: count,
    /** Rows scored in this run, taken from an interrupted one, and shared with an equal row. Their sum is all rows. */
    computed: count,
    reused: count,
    duplicates: count,
    /** Rows whose prompt and response the tokenizer would have joined at their border. */
    merged: count,
    /** Total of all rows, and its mean per token. */
    sum: z.number(),
    mean: z.number(),
  }),
  timings: z.object({ seconds: z.number(), score_seconds: z.number() }),
});
export type ScoreRun = z.infer<typeof scoreRunSchema>;
